#include "listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

namespace weir::detail {
namespace {

class [[nodiscard]] accept_awaiter : private listed_waiter {
  public:
    explicit accept_awaiter(acceptor& from) noexcept : from_(from) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr wait_kind kind{"accept", &cancel_in_list};
        context& waiting = task.promise().context();
        if (waiting.stop_requested()) {
            was_canceled = true;
            return false;
        }
        suspend(waiting, task, kind);
        from_.wait(*this);
        return true;
    }

    // Whether it was not stopped.
    [[nodiscard]] bool await_resume() const noexcept { return !was_canceled; }

  private:
    acceptor& from_;
};

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

bool set_flag(int fd, int level, int option) noexcept {
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

}  // namespace

// ref: see the declaration.
task<result<file_descriptor>> accept_from(acceptor& from) {
    while (!from.has_connection()) {
        if (from.error()) {
            co_return std::unexpected(from.error());
        }
        const bool goes_on = co_await accept_awaiter(from);
        if (!goes_on) {
            co_return std::unexpected(std::make_error_code(std::errc::operation_canceled));
        }
    }
    co_return from.take();
}

result<file_descriptor> open_listener(const socket_address& address, int kind,
                                      const listen_options& options) {
    if (options.backlog < 1) {
        return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    const int family = address.data()->sa_family;
    file_descriptor socket(::socket(family, kind | SOCK_CLOEXEC, 0));
    if (!socket) {
        return std::unexpected(last_error());
    }
    const bool is_ip = family != AF_UNIX;
    if ((is_ip && options.reuse_address && !set_flag(socket.get(), SOL_SOCKET, SO_REUSEADDR)) ||
        (is_ip && options.reuse_port && !set_flag(socket.get(), SOL_SOCKET, SO_REUSEPORT)) ||
        (family == AF_INET6 && options.only_ipv6 &&
         !set_flag(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY)) ||
        ::bind(socket.get(), address.data(), address.size()) != 0 ||
        ::listen(socket.get(), options.backlog) != 0) {
        return std::unexpected(last_error());
    }
    return socket;
}

result<socket_address> local_address_of(int fd) {
    socket_address address;
    socklen_t size = socket_address::capacity();
    if (::getsockname(fd, address.data(), &size) != 0) {
        return std::unexpected(last_error());
    }
    address.set_size(size);
    return address;
}

}  // namespace weir::detail
