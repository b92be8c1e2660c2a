#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "../assert.hpp"
#include "detail/child_watch.hpp"

namespace weir::detail {
namespace {

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

// The declarations in glibc 2.36 lack their extern "C".
int pidfd_open(pid_t process) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}
int pidfd_send_signal(int pidfd, int signal) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

io_request wait_for_end(int pidfd) noexcept {
    io_request request;
    request.opcode = io_opcode::poll;
    request.fd = pidfd;
    request.operation_flags = POLLIN;
    return request;
}

}  // namespace

void child_watch_deleter::operator()(child_watch* watch) const noexcept { watch->abandon(); }

result<void> child_watch::open(pid_t process) noexcept {
    pid_ = process;
    fd_.reset(pidfd_open(pid_));
    if (!fd_) {
        return std::unexpected(last_error());
    }
    return {};
}

result<void> child_watch::kill(int signal) noexcept {
    if (status_ || lost_) {
        return std::unexpected(std::make_error_code(std::errc::no_such_process));
    }
    if (pidfd_send_signal(fd_.get(), signal) != 0) {
        return std::unexpected(last_error());
    }
    return {};
}

void child_watch::send(int signal) noexcept {
    if (!status_ && !lost_) {
        pidfd_send_signal(fd_.get(), signal);
    }
}

result<bool> child_watch::reap(int options) noexcept {
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(fd_.get()), &info, WEXITED | options) != 0) {
        if (errno != EINTR) {
            lost_ = true;
            return std::unexpected(last_error());
        }
    }
    if (info.si_pid == 0) {
        return false;
    }
    status_ = info.si_code == CLD_EXITED
                  ? exit_status::exited(info.si_status)
                  : exit_status::killed(info.si_status, info.si_code == CLD_DUMPED);
    return true;
}

void child_watch::abandon() noexcept {
    WEIR_ASSERT(!is_awaited, "a child_process outlives the wait() for it");
    if (status_ || lost_ || !fd_) {
        delete this;
        return;
    }
    send(SIGKILL);
    scheduler* const loop = scheduler::current();
    if (loop == nullptr) {
        // Without a loop there is nobody else to wait; a killed process takes its time to go.
        [[maybe_unused]] const result<bool> reaped = reap(0);
        delete this;
        return;
    }
    request = wait_for_end(fd_.get());
    completed = &ended;
    loop->add_orphan(*this);
    loop->io().start(*this);
}

void child_watch::ended(operation& self) noexcept {
    auto& watch = static_cast<child_watch&>(self);
    // The poll cannot fail but for want of memory; then the child, which is killed, is waited for.
    [[maybe_unused]] const result<bool> reaped = watch.reap(0);
    watch.unlink();
    delete &watch;
}

exit_awaiter::exit_awaiter(child_watch& child) noexcept
    : timer_node(&grace_is_over), child_(child) {
    request = wait_for_end(child.fd());
}

bool exit_awaiter::begin(context& task, std::coroutine_handle<> resume) noexcept {
    static constexpr wait_kind kind{"child process", &cancel};
    WEIR_ASSERT(!child_.is_awaited, "one task at a time waits for a child_process");
    const bool stopped = task.stop_requested();
    if (stopped && child_.stop_signal() == 0) {
        is_stopped_ = true;
        outcome = -ECANCELED;
        return false;
    }
    child_.is_awaited = true;
    suspend(task, resume, kind);
    task.loop().io().start(*this);
    if (stopped) {
        end_child();
    }
    return true;
}

result<int> exit_awaiter::await_resume() noexcept {
    if (child_.is_awaited) {
        child_.is_awaited = false;
        owner->loop().disarm(*this);
    }
    return result_from_kernel(is_stopped_ ? -ECANCELED : outcome);
}

// The wait goes on until the child has ended.
void exit_awaiter::end_child() noexcept {
    is_stopped_ = true;
    if (child_.grace() == duration::zero()) {
        child_.send(SIGKILL);
        return;
    }
    child_.send(child_.stop_signal());
    scheduler& loop = owner->loop();
    loop.arm(*this, saturating_add(loop.now(), child_.grace()));
}

void exit_awaiter::cancel(waiter& self) noexcept {
    auto& awaiter = static_cast<exit_awaiter&>(static_cast<operation&>(self));
    if (awaiter.child_.stop_signal() != 0) {
        awaiter.end_child();
        return;
    }
    awaiter.owner->loop().io().cancel(awaiter);
}

void exit_awaiter::grace_is_over(timer_node& timer) noexcept {
    static_cast<exit_awaiter&>(timer).child_.send(SIGKILL);
}

}  // namespace weir::detail
