// datagram_socket: UDP and Unix datagrams.
//
//     weir::result<weir::datagram_socket> bound =
//         weir::datagram_socket::bind(weir::socket_address::loopback_ipv4(0));
//     weir::datagram_socket& socket = bound.value();
//     const weir::result<void> sent = co_await socket.send_to(question, server);
//     std::array<std::byte, 1'500> answer{};
//     const weir::result<weir::datagram> got = co_await socket.receive(answer);
//
// A datagram arrives whole or not at all, is sent whole or not at all, and may have 0 bytes: no
// count stands for an end. What does not fit into the span of a receive is lost, and `truncated`
// tells so. UDP carries at most 65,507 bytes over IPv4; more is std::errc::message_size.
//
// Any number of tasks may send and receive at a time; each datagram goes to one of them. A receive
// that is stopped ends with operation_canceled and takes none.
//
// bind, connect and the options act at once, without a wait: socket(2), bind(2), connect(2),
// setsockopt(2), udp(7), unix(7). Operations: recvmsg(2), send(2), sendmsg(2).
// Errors: those of the kernel. On a connected socket an ICMP error of an earlier datagram is
// returned by the next call (connection_refused where nobody listens there).
// Lifetime: the socket outlives its operations, and so do the spans; addresses are copied.
// Thread: the loop's that its operations run on.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <utility>

#include "../detail/io_awaiter.hpp"
#include "../file/descriptor.hpp"
#include "address.hpp"

namespace weir {

struct datagram_options {
    bool reuse_address = false;  // SO_REUSEADDR: several sockets of one multicast or broadcast port
    bool reuse_port = false;     // SO_REUSEPORT: the kernel shares the datagrams out
    bool broadcast = false;      // SO_BROADCAST: sending to broadcast addresses is allowed
    bool ipv6_only = false;      // IPV6_V6ONLY: an IPv6 socket does not serve IPv4
    // SO_RCVBUF and SO_SNDBUF in bytes, 0 for the system's default. The kernel doubles them for its
    // own needs, and cuts them at net.core.rmem_max and wmem_max.
    std::size_t receive_buffer_size = 0;
    std::size_t send_buffer_size = 0;
    int hops = 0;  // IP_TTL, IPV6_UNICAST_HOPS: 1 to 255, 0 for the system's default
};

// What a receive has got.
struct datagram {
    std::size_t size = 0;    // bytes in the span
    socket_address from;     // unspecified where the sender has no name (Unix)
    bool truncated = false;  // it had more bytes than the span
};

class [[nodiscard]] datagram_receive_awaiter : public detail::io_awaiter {
  public:
    datagram_receive_awaiter(int fd, std::span<std::byte> into) noexcept;
    datagram_receive_awaiter(const datagram_receive_awaiter&) = delete;
    datagram_receive_awaiter& operator=(const datagram_receive_awaiter&) = delete;
    ~datagram_receive_awaiter() = default;

    result<datagram> await_resume() noexcept;

  private:
    iovec piece_;
    msghdr message_{};
    socket_address from_;
};

class [[nodiscard]] datagram_send_awaiter : public detail::io_awaiter {
  public:
    datagram_send_awaiter(int fd, std::span<const std::byte> bytes) noexcept;
    datagram_send_awaiter(int fd, std::span<const std::byte> bytes,
                          const socket_address& to) noexcept;
    datagram_send_awaiter(int fd, std::span<const iovec> pieces, const socket_address& to) noexcept;
    datagram_send_awaiter(const datagram_send_awaiter&) = delete;
    datagram_send_awaiter& operator=(const datagram_send_awaiter&) = delete;
    ~datagram_send_awaiter() = default;

    result<void> await_resume() const noexcept;

  private:
    void ask(int fd, io_opcode opcode) noexcept;

    iovec piece_{};
    msghdr message_{};
    socket_address to_;
};

class datagram_socket {
  public:
    // Closed.
    datagram_socket() noexcept = default;

    // A socket of the family that gets its address when it first sends. Unix ones stay nameless.
    // unspecified is std::errc::address_family_not_supported.
    [[nodiscard]] static result<datagram_socket> open(
        address_family family, const datagram_options& options = {}) noexcept;

    // Receives what is sent to `local`; port 0 lets the kernel choose one. A Unix path must not
    // exist yet (address_in_use), and stays when the socket has gone.
    [[nodiscard]] static result<datagram_socket> bind(
        const socket_address& local, const datagram_options& options = {}) noexcept;

    // From now on `peer` is whom send() sends to, and the only one whom receives hear.
    [[nodiscard]] result<void> connect(const socket_address& peer) noexcept;

    // To the connected peer (std::errc::destination_address_required without one). 0 bytes or more.
    datagram_send_awaiter send(std::span<const std::byte> bytes) noexcept { return {fd(), bytes}; }
    datagram_send_awaiter send_to(std::span<const std::byte> bytes,
                                  const socket_address& to) noexcept {
        return {fd(), bytes, to};
    }

    // One datagram of 0 to 1,024 pieces (message_size beyond), which outlive the await.
    datagram_send_awaiter send_vectored(std::span<const iovec> pieces) noexcept {
        return {fd(), pieces, socket_address()};
    }
    datagram_send_awaiter send_vectored_to(std::span<const iovec> pieces,
                                           const socket_address& to) noexcept {
        return {fd(), pieces, to};
    }

    // Waits for a datagram.
    datagram_receive_awaiter receive(std::span<std::byte> into) noexcept { return {fd(), into}; }

    // Where it is bound; its port once the kernel has chosen one (getsockname(2)).
    [[nodiscard]] result<socket_address> local_address() const noexcept;
    // Whom it is connected to; std::errc::not_connected without (getpeername(2)).
    [[nodiscard]] result<socket_address> peer_address() const noexcept;

    // What the kernel has made of the option, in bytes.
    [[nodiscard]] result<std::size_t> receive_buffer_size() const noexcept;
    [[nodiscard]] result<std::size_t> send_buffer_size() const noexcept;

    // -1 when it is closed. Stays this object's.
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(socket_); }
    // Requires that none of its operations is under way. Idempotent; later calls get
    // std::errc::bad_file_descriptor.
    void close() noexcept { socket_.reset(); }

  private:
    explicit datagram_socket(file_descriptor socket) noexcept : socket_(std::move(socket)) {}

    file_descriptor socket_;
};

}  // namespace weir
