// pool: bounded concurrency with backpressure.
//
//     weir::task<> crawl(std::vector<std::string> urls) {
//         weir::pool p({.max_concurrency = 100, .max_queue_size = 1000});
//         for (std::string& url : urls) {
//             co_await p.post(fetch, std::move(url));   // waits while the queue is full
//         }
//         co_await p.drain();
//     }
//
// At most max_concurrency jobs run and at most max_queue_size wait; who submits more waits with
// them, so a million jobs need the memory of a few thousand. Jobs start in the order of submission,
// and a freed slot is handed straight to the next in line: nobody gets in between.
//
// A job is a callable and its arguments (decay-copied; references by std::ref), invoked only when a
// slot is granted, or a task that was not started. A callable may return a task or a plain value.
// submit, post and run start a job that gets a free slot in place, on the caller's stack, until it
// suspends for the first time; everything else is started by the loop.
//
// Inside a job of this pool nothing deadlocks on the pool's bounds: run() executes on the caller's
// own slot; submit() and post() do so where the queue is full; awaiting a queued job's handle runs
// that job on the waiting job's slot. Both bounds hold all the while. Parallel branches of a job
// share its slot: while one has it, the run() of another takes a free slot or a place in the queue,
// and what it awaits stays queued, until a slot or the turn is free; where the queue is full too,
// it waits for its turn. Pools that a job opens by with_pool are part of that job.
//
// Errors: pool_error (closed, would_deadlock, admission_timed_out, expired), weir::canceled when
// the calling task is stopped while it waits, std::bad_alloc from the call itself.
// Lifetime: outlives its jobs; destroying a busy pool is a programmer's error that ends the process
// (drain() or stop() first, or use with_pool). The loop outlives the pool.
// Threads: the loop's, but for submit_from_thread and try_submit_from_thread.
// Memory: the queue is allocated once (160 bytes a place); a posted job waits in its place, others
// in one recycled block with its callable, a running one has its coroutine's frame besides.
#pragma once

#include <concepts>
#include <expected>
#include <future>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/event_loop.hpp"
#include "detail/make_job.hpp"
#include "detail/pool_core.hpp"
#include "detail/post_awaiter.hpp"
#include "errors.hpp"
#include "join_handle.hpp"
#include "options.hpp"
#include "owned.hpp"

namespace weir {

namespace detail {

template <class F>
concept submittable = !std::same_as<std::remove_cvref_t<F>, submit_options>;

struct pool_access;

}  // namespace detail

class pool : private detail::pool_core {
    friend struct detail::pool_access;

  public:
    // On the loop that runs on this thread, or on `loop`.
    // Throws std::invalid_argument (an option out of its range), std::bad_alloc.
    explicit pool(const pool_options& options = {});
    explicit pool(event_loop& loop, const pool_options& options = {});
    ~pool() = default;  // requires that the pool is idle

    // Waits for a place; yields a join_handle.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto submit(F&& function, A&&... arguments) {
        return submit(submit_options(), std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto submit(const submit_options& options, F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using T = detail::job_value<F, A...>;
        return detail::submit_awaiter<T>(detail::make_held_job<T>(
            core(), options, std::forward<F>(function), std::forward<A>(arguments)...));
    }

    // The same without a handle and without a result: the fastest way in.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto post(F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using awaiter =
            detail::post_awaiter<detail::default_options, std::decay_t<F>, std::decay_t<A>...>;
        return awaiter(core(), detail::default_options(), std::forward<F>(function),
                       std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto post(const submit_options& options, F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using awaiter = detail::post_awaiter<submit_options, std::decay_t<F>, std::decay_t<A>...>;
        return awaiter(core(), options, std::forward<F>(function), std::forward<A>(arguments)...);
    }

    // Waits for a place and for the end; yields the value or rethrows. A stop of the caller cancels
    // the job, and the wait ends when it has ended.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto run(F&& function, A&&... arguments) {
        return run(submit_options(), std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto run(const submit_options& options, F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using T = detail::job_value<F, A...>;
        return detail::run_awaiter<T>(detail::make_held_job<T>(
            core(), options, std::forward<F>(function), std::forward<A>(arguments)...));
    }

    // Never waits: pool_errc::full or closed at once, with callable and arguments untouched (unless
    // their own constructors submitted to this pool and so took the last place).
    template <class F, class... A>
    [[nodiscard]] auto try_submit(F&& function, A&&... arguments)
        -> std::expected<join_handle<detail::job_value<F, A...>>, pool_errc> {
        detail::check_callable<F>();
        using T = detail::job_value<F, A...>;
        if (const pool_errc why = try_admission(); why != pool_errc{}) {
            return std::unexpected(why);
        }
        detail::held_job<T> held = detail::make_held_job<T>(
            core(), submit_options(), std::forward<F>(function), std::forward<A>(arguments)...);
        if (const pool_errc why = try_admission(); why != pool_errc{}) [[unlikely]] {
            return std::unexpected(why);
        }
        admit_now(*held);
        return join_handle<T>(std::move(held));
    }

    // Waits for a place; the job's result goes to `promise` (a std::promise or a type with its
    // set_value and set_exception), which is moved in, or, given as an lvalue, outlives the job.
    template <class Promise, detail::submittable F, class... A>
    [[nodiscard]] detail::submit_into_awaiter submit_into(Promise&& promise, F&& function,
                                                          A&&... arguments) {
        detail::check_callable<F>();
        using T = detail::job_value<F, A...>;
        if constexpr (std::is_lvalue_reference_v<Promise>) {
            using holder = detail::borrowed_promise<std::remove_reference_t<Promise>>;
            auto* const made = detail::make_job<detail::promise_result<T, holder>>(
                core(), std::forward<F>(function), std::forward<A>(arguments)...);
            made->holder.promise = &promise;
            return detail::submit_into_awaiter(*made);
        } else {
            auto* const made =
                detail::make_job<detail::promise_result<T, detail::owned_promise<Promise>>>(
                    core(), std::forward<F>(function), std::forward<A>(arguments)...);
            made->holder.promise = std::forward<Promise>(promise);
            return detail::submit_into_awaiter(*made);
        }
    }

    // From any other thread; blocks it while max_queue_size (at least 1) jobs are on their way from
    // threads and not admitted. Throws pool_error: closed; would_deadlock inside the loop's run(),
    // and, where it would have to block, on the thread of this or any running loop.
    // A job that is refused later fails its future. While nobody runs the loop, nothing is
    // admitted.
    template <class F, class... A>
    [[nodiscard]] auto submit_from_thread(F&& function, A&&... arguments)
        -> std::future<detail::job_value<F, A...>> {
        enter_from_thread();
        return detail::send_from_thread(core(), std::forward<F>(function),
                                        std::forward<A>(arguments)...);
    }

    // The same without blocking: pool_errc::full or closed, with the callable untouched.
    template <class F, class... A>
    [[nodiscard]] auto try_submit_from_thread(F&& function, A&&... arguments)
        -> std::expected<std::future<detail::job_value<F, A...>>, pool_errc> {
        if (const pool_errc why = try_enter_from_thread(); why != pool_errc{}) {
            return std::unexpected(why);
        }
        return detail::send_from_thread(core(), std::forward<F>(function),
                                        std::forward<A>(arguments)...);
    }

    // Submits a range, also a lazy one, in order, and waits for places as submit does. The range
    // holds nullary callables or tasks, or `function` is called with each element. What cannot be
    // copied, a task for instance, is passed with its container, not in a view of that.
    // Each job has the options; their lengths count from its own submission.
    // Yields one handle an element. Defined in batch.hpp.
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(Range range);
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(const submit_options& options, Range range);
    template <detail::submittable F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(F&& function, Range range);
    template <class F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(const submit_options& options, F&& function, Range range);

    // The same, and waits for all: yields the values in the order of the range (nothing for void).
    // The first failure cancels the others and ends the submitting; when all have ended, the first
    // error in time is rethrown. So does a stop of the caller. Defined in batch.hpp.
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(Range range);
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(const submit_options& options, Range range);
    template <detail::submittable F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(F&& function, Range range);
    template <class F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(const submit_options& options, F&& function, Range range);

    // Jobs that may run at a time from now on; 0 pauses. Fewer than run now: those end first.
    // Throws std::invalid_argument above 16,777,216.
    using pool_core::resize;  // void resize(std::size_t max_concurrency);

    // Takes no more jobs, at once: submitters that wait fail with closed, later ones too; what was
    // admitted runs on. Jobs of this pool may still submit. Idempotent.
    using pool_core::close;  // void close() noexcept;

    // close(), then waits until every admitted job has ended. A paused pool with a queue waits for
    // resize(). Throws pool_error (would_deadlock) inside one of its own jobs.
    using pool_core::drain;  // task<> drain();

    // close(), cancels what is queued, asks what runs to stop, and waits until all has ended; a
    // stop of the caller does not end this wait. Yields the jobs whose bodies never ran.
    // Throws as drain().
    using pool_core::stop;  // task<std::vector<job_info>> stop();

    // drain() for at most `length`, then stop().
    using pool_core::drain_for;  // task<drain_report> drain_for(duration length);

    using pool_core::options;
    using pool_core::stats;  // pool_stats stats() const noexcept;

    // For people: every slot with its job, what that awaits and since when; the queue; who waits.
    using pool_core::dump;  // std::string dump() const;

  private:
    [[nodiscard]] detail::pool_core& core() noexcept { return *this; }
};

// For what the library builds upon a pool.
struct detail::pool_access {
    [[nodiscard]] static pool_core& core(pool& target) noexcept { return target.core(); }
};

}  // namespace weir

#include "batch.hpp"  // IWYU pragma: export
