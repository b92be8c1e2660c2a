// join_handle<T>: the result of a submitted job, to be read once.
//
//     auto handle = co_await p.submit(fetch, url);
//     const std::string page = co_await std::move(handle);   // or co_await handle.join()
//
// Dropping a handle detaches the job: it runs on, and an error then goes to the pool's on_error. A
// scoped_handle cancels instead.
//
// Inside a job of the same pool, awaiting a handle whose job is still queued runs it at once on the
// waiting job's slot (while a parallel branch of that has the slot, the job stays queued, to run
// where there is room first); awaiting one that (directly or through others) waits for the waiting
// job throws pool_error (would_deadlock).
//
// Errors of the await: what the job threw, once; weir::canceled when the job was canceled, or the
// waiting task stopped (the job then runs on, but where it has the waiting job's slot: then it is
// asked to stop too, and the wait ends with it); pool_error (expired); weir::timed_out.
// Lifetime: may outlive its job and its pool's last job, not the pool. Thread: the loop's.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "detail/awaiters.hpp"

namespace weir {

class pool;

namespace detail {

template <class T>
class batch_jobs;
template <class T>
using batch_values = std::conditional_t<std::is_void_v<T>, void, std::vector<stored_value<T>>>;
template <class T, class Call, class Range>
task<batch_values<T>> batch_run_all(pool& target, Call call, Range range);

}  // namespace detail

template <class T = void>
class [[nodiscard]] join_handle {
  public:
    join_handle() noexcept = default;
    explicit join_handle(detail::held_job<T> held) noexcept : job_(std::move(held)) {}

    // False once it was awaited, detached or moved from.
    [[nodiscard]] bool valid() const noexcept { return job_ != nullptr; }

    class join_awaiter;
    // Waits for the job's end; yields its value or rethrows. Requires valid(). A wait that the
    // waiting task's own stop ended leaves the handle valid.
    [[nodiscard]] join_awaiter join() noexcept {
        WEIR_ASSERT(valid(), "a handle is awaited once");
        return join_awaiter(*this);
    }
    [[nodiscard]] join_awaiter operator co_await() && noexcept { return join(); }

    // Waits for the job's end and reads nothing; never throws. A stop of the waiting task does not
    // end this wait. Where the job waits for the waiting task's own, it returns before that end:
    // done() tells.
    [[nodiscard]] detail::ended_awaiter ended() noexcept {
        WEIR_ASSERT(valid(), "a handle that has no job has no end to wait for");
        return detail::ended_awaiter(*job_);
    }

    // Whether the job has ended.
    [[nodiscard]] bool done() const noexcept { return job_ != nullptr && job_->finished(); }

    // A queued job ends at once, its body never runs; a running one is asked to stop. Idempotent.
    void cancel() noexcept;

    // Lets the job run on, unobserved.
    void detach() noexcept { job_.reset(); }

    [[nodiscard]] job_info info() const noexcept {
        return job_ != nullptr ? job_->info() : job_info{};
    }

  private:
    template <class>
    friend class detail::batch_jobs;
    template <class U, class Call, class Range>
    friend task<detail::batch_values<U>> detail::batch_run_all(pool& target, Call call,
                                                               Range range);

    void watch(detail::job_watcher& watcher) noexcept { job_->watch(watcher); }

    // Moves the value out of a job that has ended with one.
    T take() {
        const detail::held_job<T> ended = std::move(job_);
        return ended->take();
    }

    detail::held_job<T> job_;
};

template <class T>
class [[nodiscard]] join_handle<T>::join_awaiter : public detail::join_waiter {
  public:
    explicit join_awaiter(join_handle& from) noexcept
        : join_waiter(*from.job_, detail::stop_policy::ends_wait), from_(from) {}

    T await_resume() {
        check();
        return from_.take();
    }

  private:
    join_handle& from_;
};

// A handle that cancels its job when it is destroyed unread.
template <class T = void>
class [[nodiscard]] scoped_handle {
  public:
    explicit scoped_handle(join_handle<T> handle) noexcept : handle_(std::move(handle)) {}
    scoped_handle(scoped_handle&&) noexcept = default;
    scoped_handle& operator=(scoped_handle&& other) noexcept {
        if (this != &other) {
            cancel();
            handle_ = std::move(other.handle_);
        }
        return *this;
    }
    ~scoped_handle() { cancel(); }

    [[nodiscard]] auto join() noexcept { return handle_.join(); }
    [[nodiscard]] bool done() const noexcept { return handle_.done(); }
    void cancel() noexcept {
        if (handle_.valid()) {
            handle_.cancel();
        }
    }
    // Gives up canceling.
    [[nodiscard]] join_handle<T> release() noexcept { return std::move(handle_); }

  private:
    join_handle<T> handle_;
};

template <class T>
void join_handle<T>::cancel() noexcept {
    if (job_ != nullptr) {
        detail::cancel_job(*job_);
    }
}

}  // namespace weir
