#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "detail/io_awaiter.hpp"
#include "detail/signal_source.hpp"

namespace weir::detail {
namespace {

class [[nodiscard]] source_awaiter : public io_awaiter {
  public:
    explicit source_awaiter(const io_request& what) noexcept { request = what; }
    [[nodiscard]] result<int> await_resume() const noexcept { return finish(); }
};

io_request request_for(const signal_source& source, io_opcode opcode) noexcept {
    io_request request;
    request.opcode = opcode;
    request.fd = source.fd();
    return request;
}

}  // namespace

signal_source::signal_source(std::span<const int> signals, const char* who) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) {
        if (sigaddset(&set, signal) != 0) {
            throw std::system_error(EINVAL, std::system_category(),
                                    std::string(who) + ": " + std::to_string(signal) +
                                        " is not a signal; allowed: 1 to " +
                                        std::to_string(SIGRTMAX));
        }
    }
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd_ < 0) {
        throw std::system_error(errno, std::system_category(), "signalfd");
    }
    sigset_t previous;
    pthread_sigmask(SIG_BLOCK, &set, &previous);
    sigemptyset(&newly_blocked_);
    for (const int signal : signals) {
        if (sigismember(&previous, signal) == 0) {
            sigaddset(&newly_blocked_, signal);
        }
    }
    blocked_ = true;
}

signal_source::~signal_source() {
    restore_mask();
    close(fd_);
}

void signal_source::restore_mask() noexcept {
    if (blocked_) {
        pthread_sigmask(SIG_UNBLOCK, &newly_blocked_, nullptr);
        blocked_ = false;
    }
}

// ref: as the declaration says. The read is made by the loop's thread, which alone sees what was
// sent to it in particular; where the kernel does not wait in its stead, it polls.
task<result<void>> read_signal(const signal_source& source, signalfd_siginfo& into) {
    io_request read = request_for(source, io_opcode::read);
    read.address = &into;
    read.length = sizeof into;
    io_request poll = request_for(source, io_opcode::poll);
    poll.operation_flags = POLLIN;
    while (true) {
        source_awaiter next(read);
        const result<int> got = co_await next;
        if (got) {
            co_return result<void>();
        }
        if (got.error() != std::errc::resource_unavailable_try_again) {
            co_return std::unexpected(got.error());
        }
        source_awaiter arrival(poll);
        const result<int> arrived = co_await arrival;
        if (!arrived) {
            co_return std::unexpected(arrived.error());
        }
    }
}

}  // namespace weir::detail
