// child_watch: a child process from its start until it is reaped.
//
// States, and what moves them:
//   running    nobody waits
//   awaited    an exit_awaiter is in flight (written by exit_awaiter, on the loop's thread)
//   reaped     status is there (written by reap())
//   abandoned  the owner has gone; this operation waits for the end, reaps and frees itself
//              (written by abandon())
//
// Thread: any until it is awaited; then the loop's.
#pragma once

#include <sys/types.h>

#include <optional>

#include "../../clock.hpp"
#include "../../detail/io_awaiter.hpp"
#include "../../file/descriptor.hpp"
#include "../child.hpp"
#include "../exit_status.hpp"

namespace weir::detail {

class child_watch final : private operation, private orphan {
  public:
    child_watch(int stop_signal, duration grace) noexcept
        : stop_signal_(stop_signal), grace_(grace) {}
    child_watch(const child_watch&) = delete;
    child_watch& operator=(const child_watch&) = delete;

    // Before anything else is called but abandon(). Yields pidfd_open(2)'s error.
    [[nodiscard]] result<void> open(pid_t process) noexcept;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] int stop_signal() const noexcept { return stop_signal_; }
    [[nodiscard]] duration grace() const noexcept { return grace_; }
    [[nodiscard]] std::optional<exit_status> status() const noexcept { return status_; }

    [[nodiscard]] result<void> kill(int signal) noexcept;
    // The same, where a failure means no more than that the child has gone.
    void send(int signal) noexcept;

    // Takes the child's status, blocking where `options` (WNOHANG) does not forbid it; false where
    // it has not ended. After an error there is nothing to reap.
    [[nodiscard]] result<bool> reap(int options) noexcept;

    // Kills and reaps; frees this, now or when the child has ended.
    void abandon() noexcept;

    bool is_awaited = false;

  private:
    ~child_watch() = default;
    static void ended(operation& self) noexcept;
    void give_up() noexcept override {}  // killed already: the end comes by itself

    pid_t pid_ = 0;
    int stop_signal_;
    duration grace_;
    file_descriptor fd_;
    std::optional<exit_status> status_;
    bool lost_ = false;  // reaped by somebody else
};

// Waits for the child's end. A stop ends the child, or the wait, as its command says.
class [[nodiscard]] exit_awaiter : private operation, private timer_node {
  public:
    explicit exit_awaiter(child_watch& child) noexcept;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return begin(task.promise().context(), task);
    }

    // The events, or operation_canceled where the child was ended or left alone by a stop.
    result<int> await_resume() noexcept;

  private:
    bool begin(context& task, std::coroutine_handle<> resume) noexcept;
    void end_child() noexcept;
    static void cancel(waiter& self) noexcept;
    static void grace_is_over(timer_node& timer) noexcept;

    child_watch& child_;
    bool is_stopped_ = false;
};

}  // namespace weir::detail
