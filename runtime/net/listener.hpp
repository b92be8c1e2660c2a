// Listening sockets: listener<tcp_stream> (tcp.hpp) and listener<unix_stream> (unix_socket.hpp).
//
//     auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
//     weir::tcp_listener& server = listening.value();  // throws where the address is taken
//     auto peer = co_await server.accept();
//
// Several tasks may accept from one listener. When the process runs out of descriptors or memory,
// accepting pauses and goes on by itself when it can; meanwhile connections wait in the kernel's
// backlog, and pauses() counts. Errors that befall one connection only are not the caller's.
//
// Minimum kernel for accepting many by one request: 5.19; older ones take one at a time.
// Lifetime: outlives who accepts from it; ends before its loop. Thread: the loop's.
#pragma once

#include <cstdint>
#include <utility>

#include "../task.hpp"
#include "address.hpp"
#include "detail/acceptor.hpp"

namespace weir {

struct listen_options {
    listen_options() = default;

    // Connections that wait to be accepted, 1 or more; the kernel allows at most
    // /proc/sys/net/core/somaxconn.
    int backlog = 4096;
    // SO_REUSEADDR: an address whose last connections are still closing may be taken again.
    bool reuse_address = true;
    // SO_REUSEPORT: several listeners on one address, among which the kernel spreads connections;
    // one for each loop of a loop_group.
    bool reuse_port = false;
    // An IPv6 address takes no IPv4 connections (IPV6_V6ONLY).
    bool only_ipv6 = false;
};

namespace detail {

// Binds and listens. Errors: those of socket(2), bind(2) and listen(2).
[[nodiscard]] result<file_descriptor> open_listener(const socket_address& address, int kind,
                                                    const listen_options& options);

[[nodiscard]] result<socket_address> local_address_of(int fd);

// The next connection. ref: the acceptor is its listener's, which outlives who accepts.
[[nodiscard]] task<result<file_descriptor>> accept_from(acceptor& from);

}  // namespace detail

template <class Stream>
class listener {
  public:
    // No socket: accept() fails with bad_file_descriptor.
    listener() noexcept = default;

    // Inside a task of the loop that will accept.
    [[nodiscard]] static result<listener> listen(const socket_address& address,
                                                 const listen_options& options = {}) {
        check_loop();
        result<file_descriptor> bound = detail::open_listener(address, Stream::kind, options);
        if (!bound) {
            return std::unexpected(bound.error());
        }
        return listener(std::move(*bound));
    }

    // From a socket that listens already, as service managers hand over. Inside a task, too.
    explicit listener(file_descriptor listening)
        : acceptor_(new detail::acceptor(check_loop(), std::move(listening))) {}

    // operation_canceled when the task is stopped or the listener closed.
    [[nodiscard]] task<result<Stream>> accept() {
        if (acceptor_ == nullptr) {
            co_return std::unexpected(std::make_error_code(std::errc::bad_file_descriptor));
        }
        result<file_descriptor> accepted = co_await detail::accept_from(*acceptor_);
        if (!accepted) {
            co_return std::unexpected(accepted.error());
        }
        co_return Stream(std::move(*accepted));
    }

    // With port 0, tells the port that was chosen.
    [[nodiscard]] result<socket_address> local_address() const {
        return detail::local_address_of(native_handle());
    }

    // Refuses further connections; who accepts gets operation_canceled. Idempotent.
    void close() noexcept {
        if (acceptor_ != nullptr) {
            acceptor_->close();
        }
    }

    // How often accepting was paused for want of descriptors or memory.
    [[nodiscard]] std::uint64_t pauses() const noexcept {
        return acceptor_ != nullptr ? acceptor_->pauses() : 0;
    }

    // -1 without a socket.
    [[nodiscard]] int native_handle() const noexcept {
        return acceptor_ != nullptr ? acceptor_->fd() : -1;
    }

  private:
    static event_loop& check_loop() noexcept {
        WEIR_ASSERT(event_loop::current() != nullptr, "a listener is made inside a running task");
        return *event_loop::current();
    }

    detail::acceptor_handle acceptor_;
};

}  // namespace weir
