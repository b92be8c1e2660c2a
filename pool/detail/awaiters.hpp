// The awaiters of the pool: their non-template cores (admission.cpp) and the thin typed shells.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <utility>

#include "../../runtime/task.hpp"
#include "callable_job.hpp"
#include "closure.hpp"

namespace weir {

template <class T>
class join_handle;

namespace detail {

struct drop_job {
    void operator()(job* target) const noexcept { target->drop(); }
};
// Holds a job's result.
template <class T>
using held_job = std::unique_ptr<held_result<T>, drop_job>;

enum class refusal : std::uint8_t {
    none,
    canceled,
    closed,
    would_deadlock,
    admission_timed_out,
    expired
};

// Throws what `why` (not none) stands for.
[[noreturn]] void throw_refusal(refusal why, const pool_core& by);

// What a stop of the waiting task does to its wait for a job's end.
enum class stop_policy : std::uint8_t {
    ends_wait,  // the wait ends, the job runs on
    passed_on,  // the job is canceled, the wait ends when it has ended
    ignored
};

// Waits for a job's end on behalf of a task; deadlock detection follows the job's joiner_.
class job_waiter : public waiter {
  public:
    job_waiter(const job_waiter&) = delete;
    job_waiter& operator=(const job_waiter&) = delete;

  protected:
    friend class pool_core;
    job_waiter() noexcept = default;
    ~job_waiter() = default;

    // Suspends until `target`, which has not ended, has.
    void wait_for_end(job& target, context& task, std::coroutine_handle<> resume,
                      stop_policy policy) noexcept;

    // Called by the pool: the target has ended.
    void target_ended() noexcept;

    // Called by the pool: the target runs on the slot of the waiting task's job from now on, so a
    // stop no longer ends this wait, but asks the target to stop as well.
    void target_claimed() noexcept;

    static const wait_kind& kind_of(stop_policy policy) noexcept;
    static void end_wait(waiter& self) noexcept;
    static void pass_stop(waiter& self) noexcept;

    claim claim_;  // its target is set while this waits for the end
};

// Admission of one job, or of a closure that has none; waits for a place, and where until_end_ is
// set for the job's end too.
class submit_waiter : public job_waiter, public parked_item {
  public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return begin(task.promise().context(), task);
    }

  protected:
    friend class pool_core;

    // Takes a detached job, or refers to one that the derived class holds.
    submit_waiter(job& submitted, bool owns_job, bool until_end) noexcept
        : pool_(submitted.owner_pool()),
          job_(&submitted),
          owns_job_(owns_job),
          until_end_(until_end) {
        submitter = this;
    }
    // Refers to a closure that outlives this.
    submit_waiter(pool_core& target, const closure_ops& ops, void* closure) noexcept
        : pool_(target), ops_(&ops), closure_(closure) {
        submitter = this;
    }
    ~submit_waiter() {
        if (owns_job_) {
            job_->drop();
        }
    }

    // Throws std::bad_alloc, and nothing was taken then.
    bool begin(context& task, std::coroutine_handle<> resume);
    void check() const {
        if (refusal_ != refusal::none) [[unlikely]] {
            throw_refusal(refusal_, pool_);
        }
    }

    // The caller will wait for the job's end, whatever happens.
    void belongs_to(const context& caller) noexcept { job_->outer_ = caller.host(); }

    // Called by the pool: the job has left the park, and this goes on or waits for its end.
    void admitted_from_park() noexcept;
    static void cancel_parked(waiter& self) noexcept;

    pool_core& pool_;
    job* job_ = nullptr;  // valid until it is admitted; longer where a derived class holds it
    const closure_ops* ops_ = nullptr;
    void* closure_ = nullptr;
    refusal refusal_ = refusal::none;
    bool owns_job_ = false;
    bool until_end_ = false;
};

class [[nodiscard]] submit_into_awaiter : public submit_waiter {
  public:
    explicit submit_into_awaiter(job& submitted) noexcept : submit_waiter(submitted, true, false) {}
    void await_resume() const { check(); }
};

template <class T>
class [[nodiscard]] submit_awaiter : public submit_waiter {
  public:
    explicit submit_awaiter(held_job<T> submitted) noexcept
        : submit_waiter(*submitted, false, false), held_(std::move(submitted)) {}
    using submit_waiter::belongs_to;
    join_handle<T> await_resume() {
        check();
        return join_handle<T>(std::move(held_));
    }

  private:
    held_job<T> held_;
};

template <class T>
class [[nodiscard]] run_awaiter : public submit_waiter {
  public:
    explicit run_awaiter(held_job<T> submitted) noexcept
        : submit_waiter(*submitted, false, true), held_(std::move(submitted)) {}
    T await_resume() {
        check();
        return held_->take();
    }

  private:
    held_job<T> held_;
};

// Waits for the end of a job that was admitted.
class join_waiter : public job_waiter {
  public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return begin(task.promise().context(), task);
    }

  protected:
    join_waiter(job& target, stop_policy policy) noexcept : job_(target), policy_(policy) {}

    bool begin(context& task, std::coroutine_handle<> resume) noexcept;
    void check() const {
        if (was_canceled) [[unlikely]] {
            throw canceled();
        }
        if (refusal_ != refusal::none) [[unlikely]] {
            throw_refusal(refusal_, job_.owner_pool());
        }
    }

    friend class pool_core;

    job& job_;
    refusal refusal_ = refusal::none;
    stop_policy policy_;
};

// Waits for the end and nothing else: never throws, a stop does not end it.
class [[nodiscard]] ended_awaiter : public join_waiter {
  public:
    explicit ended_awaiter(job& target) noexcept : join_waiter(target, stop_policy::ignored) {}
    void await_resume() const noexcept {}
};

}  // namespace detail
}  // namespace weir
