#include "child.hpp"

#include <sys/wait.h>

#include <functional>
#include <system_error>
#include <utility>

#include "../thread/blocking.hpp"
#include "detail/spawned_child.hpp"

namespace weir {

child_process::child_process(detail::spawned_child made) noexcept
    : watch_(std::move(made.watch)),
      input_(std::move(made.streams[0])),
      output_(std::move(made.streams[1])),
      error_(std::move(made.streams[2])) {}

task<child_process> child_process::spawn(command what) {
    detail::spawned_child made = co_await blocking(&detail::spawn_now, std::cref(what));
    co_return child_process(std::move(made));
}

task<exit_status> child_process::wait() {
    detail::child_watch& watch = *watch_;
    if (watch.status()) {
        co_return *watch.status();
    }
    detail::exit_awaiter end(watch);
    const result<int> ended = co_await end;
    const bool stopped = !ended && ended.error() == std::errc::operation_canceled;
    if (!ended && !stopped) {
        throw std::system_error(ended.error(), "child_process::wait");
    }
    const result<bool> reaped = watch.reap(WNOHANG);
    if (stopped) {
        throw canceled();
    }
    if (!reaped) {
        throw std::system_error(reaped.error(), "child_process::wait: process " +
                                                    std::to_string(watch.pid()) +
                                                    " was reaped elsewhere");
    }
    co_return *watch.status();
}

result<void> child_process::kill(int signal) noexcept { return watch_->kill(signal); }

pid_t child_process::pid() const noexcept { return watch_->pid(); }

std::optional<exit_status> child_process::status() const noexcept { return watch_->status(); }

}  // namespace weir
