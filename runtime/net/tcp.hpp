// TCP: streams and listeners.
//
//     weir::connect_options options;
//     options.timeout = 2s;
//     auto peer = co_await weir::tcp_stream::connect(server_address, options);
//     if (!peer) { report(peer.error().message()); }
//
// TCP_NODELAY is on from the start: what is written in a tick leaves in one send already.
//
// Errors: those of connect(2), timed_out, operation_canceled when the task was stopped.
// Source: tcp(7), socket(7). Thread: the loop's.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <span>

#include "../clock.hpp"
#include "address.hpp"
#include "listener.hpp"
#include "socket_stream.hpp"

namespace weir {

struct connect_options {
    connect_options() = default;

    // For each address; zero: as long as the kernel tries, some two minutes.
    duration timeout = duration::zero();
    // To connect from; the kernel's choice by default.
    std::optional<socket_address> from;
};

// Probes of a silent connection (tcp(7)), in whole seconds, 1 or more.
struct keep_alive_options {
    keep_alive_options() = default;

    int idle_s = 60;
    int interval_s = 10;
    int count = 6;
};

class tcp_stream : public socket_stream {
  public:
    static constexpr int kind = SOCK_STREAM;

    tcp_stream() noexcept = default;
    explicit tcp_stream(file_descriptor connected);

    [[nodiscard]] static task<result<tcp_stream>> connect(socket_address to,
                                                          connect_options options = {});

    // Tries the addresses in their order; the error is that of the last. No address:
    // destination_address_required. `to` lives until the await has ended.
    // ref: awaited at once.
    [[nodiscard]] static task<result<tcp_stream>> connect(std::span<const socket_address> to,
                                                          connect_options options = {});

    [[nodiscard]] result<socket_address> local_address() const;
    [[nodiscard]] result<socket_address> peer_address() const;

    // TCP_NODELAY.
    result<void> set_no_delay(bool on) noexcept;
    // SO_KEEPALIVE; nothing turns it off.
    result<void> set_keep_alive(const std::optional<keep_alive_options>& probes) noexcept;
    // SO_RCVBUF and SO_SNDBUF; the kernel doubles the value.
    result<void> set_receive_buffer(int bytes) noexcept;
    result<void> set_send_buffer(int bytes) noexcept;
    // Closing sends a reset and drops what was not sent (SO_LINGER with 0 seconds).
    result<void> set_reset_on_close() noexcept;
};

using tcp_listener = listener<tcp_stream>;

namespace detail {

// connect(2) through the loop. ref: the address lives in the frame that waits for this.
[[nodiscard]] task<result<void>> connect_socket(int fd, const socket_address& to);

// A new socket, connected.
[[nodiscard]] task<result<file_descriptor>> connected_socket(int kind, socket_address to,
                                                             connect_options options);

[[nodiscard]] result<socket_address> peer_address_of(int fd);

}  // namespace detail
}  // namespace weir
