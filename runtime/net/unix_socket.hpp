// Unix domain sockets: byte streams, and packets in order (SOCK_SEQPACKET).
//
//     auto ends = weir::unix_stream::pair();
//     auto& [left, right] = ends.value();
//
// Source: unix(7). Errors as in tcp.hpp. Thread: the loop's.
#pragma once

#include <sys/socket.h>

#include <span>
#include <string_view>
#include <utility>

#include "listener.hpp"
#include "socket_stream.hpp"
#include "tcp.hpp"

namespace weir {

// Who is at the other end of a Unix socket, as the kernel saw it when the connection was made.
struct peer_credentials {
    pid_t process = 0;
    uid_t user = 0;
    gid_t group = 0;
};

class unix_stream : public socket_stream {
  public:
    static constexpr int kind = SOCK_STREAM;

    unix_stream() noexcept = default;
    explicit unix_stream(file_descriptor connected) : socket_stream(std::move(connected)) {}

    [[nodiscard]] static task<result<unix_stream>> connect(socket_address to,
                                                           connect_options options = {});

    // Two streams that are connected to each other (socketpair(2)).
    [[nodiscard]] static result<std::pair<unix_stream, unix_stream>> pair();

    [[nodiscard]] result<socket_address> local_address() const;
    [[nodiscard]] result<socket_address> peer_address() const;
    [[nodiscard]] result<peer_credentials> credentials() const;
};

using unix_listener = listener<unix_stream>;

// Messages that keep their borders and their order. One task may send while another receives.
class unix_packets {
  public:
    static constexpr int kind = SOCK_SEQPACKET;

    unix_packets() noexcept = default;
    explicit unix_packets(file_descriptor connected) noexcept : socket_(std::move(connected)) {}

    [[nodiscard]] static task<result<unix_packets>> connect(socket_address to,
                                                            connect_options options = {});
    [[nodiscard]] static result<std::pair<unix_packets, unix_packets>> pair();

    // One message of 1 byte or more. `message` lives until the await has ended. message_size where
    // it is too large for the socket. ref: awaited at once.
    [[nodiscard]] task<result<void>> send(std::span<const std::byte> message);

    // The next message; 0 at the end. message_size where it is larger than `into`: the rest of it
    // is lost. `into` lives until the await has ended. ref: awaited at once.
    [[nodiscard]] task<result<std::size_t>> receive(std::span<std::byte> into);

    [[nodiscard]] int native_handle() const noexcept { return socket_.get(); }

  private:
    file_descriptor socket_;
};

using unix_packet_listener = listener<unix_packets>;

}  // namespace weir
