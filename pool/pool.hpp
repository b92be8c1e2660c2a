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
// that job on the waiting job's slot. Both bounds hold all the while.
//
// Errors: pool_error (closed, would_deadlock, admission_timed_out, expired), weir::canceled when
// the calling task is stopped while it waits, std::bad_alloc from the call itself.
// Lifetime: outlives its jobs; destroying a busy pool is a programmer's error that ends the process
// (drain() or stop() first, or use with_pool). The loop outlives the pool.
// Threads: the loop's, but for submit_from_thread and try_submit_from_thread.
// Memory: the queue is allocated once (8 bytes a place, doubled); a queued job is one recycled
// block with its callable, a running one has its coroutine's frame besides.
#pragma once

#include <concepts>
#include <expected>
#include <future>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/detail/wait_list.hpp"
#include "../runtime/event_loop.hpp"
#include "detail/awaiters.hpp"
#include "detail/job_queue.hpp"
#include "detail/posted_job.hpp"
#include "detail/thread_gate.hpp"
#include "errors.hpp"
#include "join_handle.hpp"
#include "options.hpp"
#include "owned.hpp"

namespace weir {

namespace detail {

// What post() without submit_options has in their place: nothing.
struct default_options {};
template <class Options, class F, class... A>
class post_awaiter;

template <class F>
concept submittable = !std::same_as<std::remove_cvref_t<F>, submit_options>;
}

class pool {
  public:
    // On the loop that runs on this thread, or on `loop`.
    // Throws std::invalid_argument (an option out of its range), std::bad_alloc.
    explicit pool(const pool_options& options = {});
    explicit pool(event_loop& loop, const pool_options& options = {});
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool();

    // Waits for a place; yields a join_handle.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto submit(F&& function, A&&... arguments) {
        return submit(submit_options(), std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto submit(const submit_options& options, F&& function, A&&... arguments) {
        using T = detail::job_value<F, A...>;
        return detail::submit_awaiter<T>(
            hold<T>(options, std::forward<F>(function), std::forward<A>(arguments)...));
    }

    // The same without a handle and without a result: the fastest way in.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto post(F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using awaiter =
            detail::post_awaiter<detail::default_options, std::decay_t<F>, std::decay_t<A>...>;
        return awaiter(*this, detail::default_options(), std::forward<F>(function),
                       std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto post(const submit_options& options, F&& function, A&&... arguments) {
        detail::check_callable<F>();
        using awaiter = detail::post_awaiter<submit_options, std::decay_t<F>, std::decay_t<A>...>;
        return awaiter(*this, options, std::forward<F>(function), std::forward<A>(arguments)...);
    }

    // Waits for a place and for the end; yields the value or rethrows. A stop of the caller cancels
    // the job, and the wait ends when it has ended.
    template <detail::submittable F, class... A>
    [[nodiscard]] auto run(F&& function, A&&... arguments) {
        return run(submit_options(), std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class F, class... A>
    [[nodiscard]] auto run(const submit_options& options, F&& function, A&&... arguments) {
        using T = detail::job_value<F, A...>;
        return detail::run_awaiter<T>(
            hold<T>(options, std::forward<F>(function), std::forward<A>(arguments)...));
    }

    // Never waits: pool_errc::full or closed at once, with callable and arguments untouched.
    template <class F, class... A>
    [[nodiscard]] auto try_submit(F&& function, A&&... arguments)
        -> std::expected<join_handle<detail::job_value<F, A...>>, pool_errc> {
        using T = detail::job_value<F, A...>;
        if (const pool_errc why = try_admission(); why != pool_errc{}) {
            return std::unexpected(why);
        }
        detail::held_job<T> held = hold<T>(submit_options(), std::forward<F>(function),
                                           std::forward<A>(arguments)...);
        admit_now(*held);
        return join_handle<T>(std::move(held));
    }

    // Waits for a place; the job's result goes to `promise` (a std::promise or a type with its
    // set_value and set_exception), which is moved in, or, given as an lvalue, outlives the job.
    template <class Promise, detail::submittable F, class... A>
    [[nodiscard]] detail::submit_into_awaiter submit_into(Promise&& promise, F&& function,
                                                          A&&... arguments) {
        using T = detail::job_value<F, A...>;
        if constexpr (std::is_lvalue_reference_v<Promise>) {
            using holder = detail::borrowed_promise<std::remove_reference_t<Promise>>;
            auto* const made = make<detail::promise_result<T, holder>>(
                std::forward<F>(function), std::forward<A>(arguments)...);
            made->holder.promise = &promise;
            return detail::submit_into_awaiter(*made);
        } else {
            auto* const made = make<detail::promise_result<T, detail::owned_promise<Promise>>>(
                std::forward<F>(function), std::forward<A>(arguments)...);
            made->holder.promise = std::forward<Promise>(promise);
            return detail::submit_into_awaiter(*made);
        }
    }

    // From any other thread; blocks it while max_queue_size (at least 1) jobs are on their way from
    // threads and not admitted. Throws pool_error (closed; would_deadlock on the loop's thread).
    // A job that is refused later, or whose loop is gone, breaks or fails its future.
    template <class F, class... A>
    [[nodiscard]] auto submit_from_thread(F&& function, A&&... arguments)
        -> std::future<detail::job_value<F, A...>> {
        enter_from_thread();
        return send_from_thread(std::forward<F>(function), std::forward<A>(arguments)...);
    }

    // The same without blocking: pool_errc::full or closed, with the callable untouched.
    template <class F, class... A>
    [[nodiscard]] auto try_submit_from_thread(F&& function, A&&... arguments)
        -> std::expected<std::future<detail::job_value<F, A...>>, pool_errc> {
        if (const pool_errc why = try_enter_from_thread(); why != pool_errc{}) {
            return std::unexpected(why);
        }
        return send_from_thread(std::forward<F>(function), std::forward<A>(arguments)...);
    }

    // Submits a range, also a lazy one, in order, and waits for places as submit does. The range
    // holds nullary callables or tasks, or `function` is called with each element.
    // Yields one handle an element. Defined in batch.hpp.
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(Range range);
    template <class F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_submit(F function, Range range);

    // The same, and waits for all: yields the values in the order of the range (nothing for void).
    // The first failure cancels the others and ends the submitting; when all have ended, the first
    // error in time is rethrown. So does a stop of the caller. Defined in batch.hpp.
    template <std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(Range range);
    template <class F, std::ranges::input_range Range>
    [[nodiscard]] auto batch_run(F function, Range range);

    // Jobs that may run at a time from now on; 0 pauses. Fewer than run now: those end first.
    // Throws std::invalid_argument above 16,777,216.
    void resize(std::size_t max_concurrency);

    // Takes no more jobs, at once: submitters that wait fail with closed, later ones too; what was
    // admitted runs on. Jobs of this pool may still submit. Idempotent.
    void close() noexcept;

    // close(), then waits until every admitted job has ended. A paused pool with a queue waits for
    // resize(). Throws pool_error (would_deadlock) inside one of its own jobs.
    [[nodiscard]] task<> drain();

    // close(), cancels what is queued, asks what runs to stop, and waits until all has ended; a
    // stop of the caller does not end this wait. Yields the jobs whose bodies never ran.
    // Throws as drain().
    [[nodiscard]] task<std::vector<job_info>> stop();

    // drain() for at most `length`, then stop().
    [[nodiscard]] task<drain_report> drain_for(duration length);

    [[nodiscard]] pool_stats stats() const noexcept;
    [[nodiscard]] const pool_options& options() const noexcept { return options_; }

    // For people: every slot with its job, what that awaits and since when; the queue; who waits.
    [[nodiscard]] std::string dump() const;

  private:
    friend class detail::job_waiter;
    friend class detail::submit_waiter;
    friend class detail::join_waiter;
    friend class detail::job;
    friend class detail::posted_job;
    template <class Closure>
    friend struct detail::closure_ops_for;
    template <class Options, class F, class... A>
    friend class detail::post_awaiter;
    friend struct detail::job_deadlines;
    friend void detail::report_unobserved(detail::job& from, const std::exception_ptr& error) noexcept;
    friend void detail::job_ended(detail::job& ended) noexcept;
    friend void detail::cancel_job(detail::job& target) noexcept;

    // The context above all running jobs.
    class group final : public context {
      public:
        explicit group(scheduler& loop) noexcept : context(loop) {}
        ~group() override { detach(); }
        void on_done() noexcept override {}
    };
    class idle_awaiter;
    // A place in the gate and a job on its way from a thread; gives both up if it never arrives.
    class thread_ticket {
      public:
        explicit thread_ticket(pool& target) noexcept : target_(&target) {}
        thread_ticket(thread_ticket&& other) noexcept
            : target_(std::exchange(other.target_, nullptr)),
              job_(std::exchange(other.job_, nullptr)),
              parking_(other.parking_) {}
        thread_ticket& operator=(thread_ticket&&) = delete;
        ~thread_ticket() {
            if (job_ != nullptr) {
                job_->drop();
            }
            if (target_ != nullptr) {
                target_->gate_.release();
            }
        }
        void carry(detail::job& sent, detail::parked_item& parking) noexcept {
            job_ = &sent;
            parking_ = &parking;
        }
        void operator()() noexcept {
            pool& target = *std::exchange(target_, nullptr);
            target.arrive_from_thread(*std::exchange(job_, nullptr), *parking_);
        }

      private:
        pool* target_;
        detail::job* job_ = nullptr;
        detail::parked_item* parking_ = nullptr;
    };

    template <class Result, class F, class... A>
    [[nodiscard]] auto* make(F&& function, A&&... arguments) {
        detail::check_callable<F>();
        return make_unchecked<Result>(std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class Result, class F, class... A>
    [[nodiscard]] auto* make_unchecked(F&& function, A&&... arguments) {
        return new detail::callable_job<Result, std::decay_t<F>, std::decay_t<A>...>(
            *this, *loop_, std::forward<F>(function), std::forward<A>(arguments)...);
    }
    template <class T, class F, class... A>
    [[nodiscard]] detail::held_job<T> hold(const submit_options& options, F&& function,
                                           A&&... arguments) {
        auto* const made = make<detail::held_result<T>>(std::forward<F>(function),
                                                        std::forward<A>(arguments)...);
        made->set_held();
        detail::held_job<T> held(made);
        held->set_options(options);
        return held;
    }
    template <class F, class... A>
    auto send_from_thread(F&& function, A&&... arguments)
        -> std::future<detail::job_value<F, A...>> {
        using T = detail::job_value<F, A...>;
        thread_ticket ticket(*this);
        auto* const made = make<detail::thread_result<T>>(std::forward<F>(function),
                                                          std::forward<A>(arguments)...);
        ticket.carry(*made, made->parking);
        std::future<T> future = made->holder.promise.get_future();
        loop_->post(std::move(ticket));
        return future;
    }

    // A record for a body that `task` starts in place, or null where that has to go another way.
    // Throws std::bad_alloc, and takes nothing then.
    [[nodiscard]] detail::posted_job* begin_in_place(const context& task) {
        if (running_ >= limit_ || closed_ || task.stop_requested() ||
            loop_->in_place_depth >= in_place_depth_max || !loop_->take_budget()) {
            return nullptr;
        }
        if (spare_ == nullptr) [[unlikely]] {
            add_record();
        }
        detail::posted_job& record = take_spare();
        record.begin_in_place(++stats_.submitted);
        ++loop_->counters_ref().starts_in_place;
        ++loop_->in_place_depth;
        return &record;
    }
    // A body that was started in place has ended at once.
    void end_in_place(detail::posted_job& record) noexcept {
        --loop_->in_place_depth;
        ++stats_.completed;
        record.end_in_place();
        make_spare(record);
        --running_;
        if ((queue_.size() | parked_size_) != 0 || !idle_waiters_.empty()) [[unlikely]] {
            after_release();
        }
    }
    void end_in_place(detail::posted_job& record, std::exception_ptr error) noexcept;

    // Records, see posted_job. There are at least as many as closures may need at a time, so that
    // granting never allocates: min(limit_, closures running, queued and parked).
    void add_record();
    void reserve_record() {
        if (records_ < limit_) {
            add_record();
        }
    }
    [[nodiscard]] detail::posted_job& take_spare() noexcept {
        detail::posted_job& record = *spare_;
        spare_ = record.next_spare;
        if (++running_ > stats_.max_running) {
            stats_.max_running = running_;
        }
        return record;
    }
    void make_spare(detail::posted_job& record) noexcept {
        record.next_spare = spare_;
        spare_ = &record;
    }
    void posted_ended(detail::posted_job& record) noexcept;
    void release_record(detail::posted_job& record) noexcept;

    // How deep jobs that start in place may start others in place; deeper ones go by the loop.
    static constexpr unsigned in_place_depth_max = 16;

    // pool_await.cpp: what a task that calls the pool goes through.
    [[nodiscard]] detail::job* host_of(const context& task) const noexcept;
    bool admit(detail::submit_waiter& waiter, context& task, std::coroutine_handle<> resume);
    bool begin_in_slot(detail::submit_waiter& waiter, context& task,
                       std::coroutine_handle<> resume) noexcept;
    bool admit_as_guest(detail::submit_waiter& waiter, detail::job& host, context& task,
                        std::coroutine_handle<> resume);
    bool run_as_guest(detail::job& guest, detail::job& host, detail::job_waiter& waiter,
                      context& task, std::coroutine_handle<> resume,
                      detail::stop_policy policy) noexcept;
    bool join(detail::join_waiter& waiter, context& task, std::coroutine_handle<> resume) noexcept;

    // pool.cpp: admission and the grant routine.
    [[nodiscard]] pool_errc try_admission() noexcept;
    void admit_now(detail::job& admitted) noexcept;
    [[nodiscard]] bool slot_is_free() const noexcept {
        return running_ < limit_ && queue_.empty() && parked_.empty();
    }
    [[nodiscard]] bool place_is_free() const noexcept {
        return !queue_.full() && parked_.empty();
    }
    void count_admitted(detail::job& admitted) noexcept { admitted.id_ = ++stats_.submitted; }
    void take_slot(detail::job& granted) noexcept;
    void grant_closure(const detail::closure_ops& ops, void* closure, std::uint64_t id) noexcept;
    void enqueue(detail::job& admitted) noexcept;
    void enqueue(detail::submit_waiter& waiter) noexcept;
    void park(detail::parked_item& item, detail::job* parked) noexcept;
    void unpark(detail::parked_item& item) noexcept;
    void grant_parked() noexcept;
    void grant() noexcept;
    void after_release() noexcept;
    void release_slot(detail::job& job) noexcept;

    // pool_job.cpp: the beginning and the end of a job.
    void begin(detail::job& granted) noexcept;
    void begin_posted(detail::posted_job& record) noexcept;
    void ended(detail::job& job) noexcept;
    void end_unstarted(detail::job& job, detail::refusal why) noexcept;
    void finish(detail::job& job) noexcept;
    void cancel(detail::job& job) noexcept;
    void deadline_passed(detail::job& job) noexcept;
    void refuse_parked(detail::parked_item& item, detail::refusal why) noexcept;
    void report(detail::job& from, const std::exception_ptr& error) noexcept;

    // pool_thread.cpp
    void enter_from_thread();
    [[nodiscard]] pool_errc try_enter_from_thread();
    void arrive_from_thread(detail::job& arrived, detail::parked_item& parking) noexcept;

    // pool_close.cpp
    [[nodiscard]] bool idle() const noexcept;
    void wake_if_idle() noexcept;
    void check_not_inside(const context& task) const;
    [[nodiscard]] std::vector<job_info> cancel_everything();

    event_loop* loop_;
    pool_options options_;
    std::size_t limit_;
    std::size_t running_ = 0;
    bool closed_ = false;
    bool stopping_ = false;
    detail::job_queue queue_;
    detail::intrusive_list<detail::parked_item> parked_;
    std::size_t parked_size_ = 0;
    group group_;
    detail::wait_list idle_waiters_;
    detail::posted_job* spare_ = nullptr;  // chained by next_spare
    std::size_t records_ = 0;              // spare ones and others
    std::uint64_t never_started_ = 0;      // jobs that ended before their body began
    mutable detail::thread_gate gate_;
    pool_stats stats_;
};

}  // namespace weir

#include "batch.hpp"                // IWYU pragma: export
#include "detail/post_awaiter.hpp"  // IWYU pragma: export
