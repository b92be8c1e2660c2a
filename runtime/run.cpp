#include "run.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "detail/io_awaiter.hpp"

namespace weir::detail {
namespace {

// Reads one signalfd_siginfo.
class [[nodiscard]] read_signal_awaiter : public io_awaiter {
  public:
    read_signal_awaiter(int fd, signalfd_siginfo& into) noexcept {
        request.opcode = io_opcode::read;
        request.fd = fd;
        request.address = &into;
        request.length = sizeof into;
    }
    [[nodiscard]] result<int> await_resume() const noexcept { return finish(); }
};

}  // namespace

signal_watch::signal_watch(context& target, const std::vector<int>& signals) : target_(target) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) {
        if (sigaddset(&set, signal) != 0) {
            throw std::system_error(EINVAL, std::system_category(),
                                    "stop_signals: " + std::to_string(signal) +
                                        " is not a signal; allowed: 1 to " +
                                        std::to_string(SIGRTMAX));
        }
    }
    fd_ = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd_ < 0) {
        throw std::system_error(errno, std::system_category(), "signalfd");
    }
    pthread_sigmask(SIG_BLOCK, &set, &previous_);
    blocked_ = true;
}

signal_watch::~signal_watch() {
    restore_mask();
    close(fd_);
}

void signal_watch::restore_mask() noexcept {
    if (blocked_) {
        pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
        blocked_ = false;
    }
}

task<> signal_watch::watch() {
    signalfd_siginfo info{};
    read_signal_awaiter next(fd_, info);
    const result<int> got = co_await next;
    if (got) {
        restore_mask();
        target_.request_stop();
    }
}

}  // namespace weir::detail
