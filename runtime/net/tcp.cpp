#include "tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

#include "../detail/io_awaiter.hpp"
#include "../this_task.hpp"
#include "../with_timeout.hpp"

namespace weir {
namespace {

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

template <class T>
result<void> set_option(int fd, int level, int option, const T& value) noexcept {
    if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
        return std::unexpected(last_error());
    }
    return {};
}

class [[nodiscard]] connect_awaiter : public detail::io_awaiter {
  public:
    connect_awaiter(int fd, const socket_address& to) noexcept {
        request.opcode = io_opcode::connect;
        request.fd = fd;
        // The kernel only reads.
        request.address = const_cast<sockaddr*>(to.data());
        request.offset = to.size();
    }

    result<void> await_resume() const noexcept {
        const result<int> done = finish();
        return done ? result<void>() : std::unexpected(done.error());
    }
};

}  // namespace

namespace detail {

// ref: see the declaration.
task<result<void>> connect_socket(int fd, const socket_address& to) {
    co_return co_await connect_awaiter(fd, to);
}

task<result<file_descriptor>> connected_socket(int kind, socket_address to,
                                               connect_options options) {
    file_descriptor socket(::socket(to.data()->sa_family, kind | SOCK_CLOEXEC, 0));
    if (!socket) {
        co_return std::unexpected(last_error());
    }
    if (options.from && ::bind(socket.get(), options.from->data(), options.from->size()) != 0) {
        co_return std::unexpected(last_error());
    }
    auto attempt = connect_socket(socket.get(), to);
    result<void> connected;
    if (options.timeout > duration::zero()) {
        connected = co_await with_timeout(options.timeout, std::move(attempt));
    } else {
        connected = co_await std::move(attempt);
    }
    if (!connected) {
        co_return std::unexpected(connected.error());
    }
    co_return socket;
}

result<socket_address> peer_address_of(int fd) {
    socket_address address;
    socklen_t size = socket_address::capacity();
    if (::getpeername(fd, address.data(), &size) != 0) {
        return std::unexpected(last_error());
    }
    address.set_size(size);
    return address;
}

}  // namespace detail

tcp_stream::tcp_stream(file_descriptor connected) : socket_stream(std::move(connected)) {
    // Fails only on what is no TCP socket, and then nothing is delayed.
    static_cast<void>(set_no_delay(true));
}

task<result<tcp_stream>> tcp_stream::connect(socket_address to, connect_options options) {
    result<file_descriptor> connected = co_await detail::connected_socket(kind, to, options);
    if (!connected) {
        co_return std::unexpected(connected.error());
    }
    co_return tcp_stream(std::move(*connected));
}

// ref: see the declaration.
task<result<tcp_stream>> tcp_stream::connect(std::span<const socket_address> to,
                                             connect_options options) {
    std::error_code error = std::make_error_code(std::errc::destination_address_required);
    for (const socket_address& address : to) {
        result<tcp_stream> connected = co_await connect(address, options);
        if (connected || connected.error() == std::errc::operation_canceled) {
            co_return connected;
        }
        error = connected.error();
    }
    co_return std::unexpected(error);
}

result<socket_address> tcp_stream::local_address() const {
    return detail::local_address_of(native_handle());
}

result<socket_address> tcp_stream::peer_address() const {
    return detail::peer_address_of(native_handle());
}

result<void> tcp_stream::set_no_delay(bool on) noexcept {
    return set_option(native_handle(), IPPROTO_TCP, TCP_NODELAY, int{on});
}

result<void> tcp_stream::set_keep_alive(const std::optional<keep_alive_options>& probes) noexcept {
    const int fd = native_handle();
    if (!probes) {
        return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    }
    const struct {
        int option;
        int value;
    } settings[] = {{TCP_KEEPIDLE, probes->idle_s},
                    {TCP_KEEPINTVL, probes->interval_s},
                    {TCP_KEEPCNT, probes->count}};
    for (const auto& [option, value] : settings) {
        if (const result<void> set = set_option(fd, IPPROTO_TCP, option, value); !set) {
            return set;
        }
    }
    return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

result<void> tcp_stream::set_receive_buffer(int bytes) noexcept {
    return set_option(native_handle(), SOL_SOCKET, SO_RCVBUF, bytes);
}

result<void> tcp_stream::set_send_buffer(int bytes) noexcept {
    return set_option(native_handle(), SOL_SOCKET, SO_SNDBUF, bytes);
}

result<void> tcp_stream::set_reset_on_close() noexcept {
    return set_option(native_handle(), SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
}

}  // namespace weir
