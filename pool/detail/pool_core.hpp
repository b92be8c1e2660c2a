// The pool without its templates: slots, queue, park, records, and the grant routine. weir::pool
// (../pool.hpp) puts the typed calls on top; jobs and awaiters talk to this class.
//
// Invariants, between calls:
//   1. A slot is free (running_ < limit_) only while nothing is queued and nobody is parked.
//   2. A place in the queue is free only while nobody is parked.
//   3. There are at least min(limit_, closures running, queued and parked) records, so that
//      granting a slot to a closure never allocates.
// Everything that frees a slot or a place (an end, a cancel, an expiry, a claim, a resize) calls
// grant(), which restores 1 and 2 in FIFO order.
// Thread: the loop's, but for enter_from_thread, try_enter_from_thread and leave_from_thread.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "../../runtime/detail/wait_list.hpp"
#include "../../runtime/event_loop.hpp"
#include "../errors.hpp"
#include "../options.hpp"
#include "awaiters.hpp"
#include "job_queue.hpp"
#include "posted_job.hpp"
#include "thread_gate.hpp"

namespace weir::detail {

class pool_core {
  public:
    pool_core(event_loop& loop, const pool_options& options);
    pool_core(const pool_core&) = delete;
    pool_core& operator=(const pool_core&) = delete;

    // What weir::pool offers under the same names (closing.cpp, grant.cpp, dump.cpp).
    void resize(std::size_t max_concurrency);
    void close() noexcept;
    [[nodiscard]] task<> drain();
    [[nodiscard]] task<std::vector<job_info>> stop();
    [[nodiscard]] task<drain_report> drain_for(duration length);
    [[nodiscard]] pool_stats stats() const noexcept;
    [[nodiscard]] std::string dump() const;
    [[nodiscard]] const pool_options& options() const noexcept { return options_; }
    [[nodiscard]] event_loop& loop() const noexcept { return *loop_; }

    // What stop() does but for naming jobs and waiting: never fails.
    void stop_all() noexcept;

    // The job that waits for all of this pool's, or null: what they need of its own pool, they get
    // on its slot. It outlives this pool.
    [[nodiscard]] job* outer() const noexcept { return outer_; }
    void set_outer(job* waiting) noexcept { outer_ = waiting; }

    // From tasks (admission.cpp). Each returns whether the task stays suspended.
    bool admit(submit_waiter& waiter, context& task, std::coroutine_handle<> resume);
    bool join(join_waiter& waiter, context& task, std::coroutine_handle<> resume) noexcept;
    [[nodiscard]] pool_errc try_admission() noexcept;
    // Requires that try_admission() was just granted.
    void admit_now(job& admitted) noexcept;

    // From other threads (from_thread.cpp).
    void enter_from_thread();
    [[nodiscard]] pool_errc try_enter_from_thread();
    void leave_from_thread() noexcept;
    void arrive_from_thread(job& arrived, parked_item& parking) noexcept;

    // From jobs and their waiters (job.cpp).
    void begin(job& granted) noexcept;
    void ended(job& target) noexcept;
    void cancel(job& target) noexcept;
    void deadline_passed(job& target) noexcept;
    void refuse_parked(parked_item& item, refusal why) noexcept;
    void report(job& from, const std::exception_ptr& error) noexcept;
    void begin_posted(posted_job& record) noexcept;
    void posted_ended(posted_job& record) noexcept;

    // A record for a body that `task` starts in place, or null where that has to go another way.
    // Throws std::bad_alloc, and takes nothing then.
    [[nodiscard]] posted_job* begin_in_place(const context& task) {
        if (running_ >= limit_ || closed_ || task.stop_requested() ||
            loop_->in_place_depth >= in_place_depth_max || !loop_->take_budget()) {
            return nullptr;
        }
        if (spare_ == nullptr) [[unlikely]] {
            add_record();
        }
        posted_job& record = take_spare();
        record.begin_in_place(++stats_.submitted);
        ++loop_->counters_ref().starts_in_place;
        ++loop_->in_place_depth;
        return &record;
    }
    // A body that was started in place has ended at once.
    void end_in_place(posted_job& record) noexcept {
        --loop_->in_place_depth;
        ++stats_.completed;
        record.end_in_place();
        make_spare(record);
        --running_;
        if ((queue_.size() | parked_size_) != 0 || !idle_waiters_.empty()) [[unlikely]] {
            after_release();
        }
    }
    void end_in_place(posted_job& record, std::exception_ptr error) noexcept;

  protected:
    // Ends the process where the pool is busy.
    ~pool_core();

  private:
    // The context above all running jobs.
    class group final : public context {
      public:
        explicit group(scheduler& loop) noexcept : context(loop) {}
        ~group() override { detach(); }
        void on_done() noexcept override {}
    };
    friend class idle_awaiter;

    // Records: see posted_job and invariant 3.
    void add_record();
    void renew(posted_job& record) noexcept;
    void reserve_record() {
        if (records_ < std::min(limit_, running_ + queue_.size() + parked_size_ + 1)) {
            add_record();
        }
    }
    [[nodiscard]] posted_job& take_spare() noexcept {
        posted_job& record = *spare_;
        spare_ = record.next_spare;
        if (++running_ > stats_.max_running) {
            stats_.max_running = running_;
        }
        return record;
    }
    void make_spare(posted_job& record) noexcept {
        if (record.stop_requested()) [[unlikely]] {
            renew(record);
        }
        record.next_spare = spare_;
        spare_ = &record;
    }
    void release_record(posted_job& record) noexcept;

    // How deep jobs that start in place may start others in place; deeper ones go by the loop.
    static constexpr unsigned in_place_depth_max = 16;

    // admission.cpp
    [[nodiscard]] job* host_of(const context& task) const noexcept;
    bool begin_in_slot(submit_waiter& waiter, context& task,
                       std::coroutine_handle<> resume) noexcept;
    bool admit_as_guest(submit_waiter& waiter, job& host, context& task,
                        std::coroutine_handle<> resume);
    bool run_as_guest(job& guest, job& host, job_waiter& waiter, context& task,
                      std::coroutine_handle<> resume, stop_policy policy) noexcept;
    void leave_queue(job& claimed, job& by) noexcept;
    [[nodiscard]] job* next_claim(job& host) noexcept;

    // grant.cpp
    [[nodiscard]] bool slot_is_free() const noexcept {
        return running_ < limit_ && queue_.empty() && parked_.empty();
    }
    [[nodiscard]] bool place_is_free() const noexcept { return !queue_.full() && parked_.empty(); }
    void count_admitted(job& admitted) noexcept { admitted.id_ = ++stats_.submitted; }
    void take_slot(job& granted) noexcept;
    void grant_closure(const closure_ops& ops, void* closure, std::uint64_t id) noexcept;
    void enqueue(job& admitted) noexcept;
    void enqueue(submit_waiter& waiter) noexcept;
    void park(parked_item& item, job* parked) noexcept;
    void unpark(parked_item& item) noexcept;
    void grant_parked() noexcept;
    void grant() noexcept;
    void after_release() noexcept;
    void release_slot(job& target) noexcept;

    // job.cpp
    void end_unstarted(job& target, refusal why) noexcept;
    void finish(job& target) noexcept;

    // closing.cpp
    [[nodiscard]] bool idle() const noexcept;
    void wake_if_idle() noexcept;
    void check_not_inside(const context& task) const;
    [[nodiscard]] std::vector<job_info> unstarted_jobs() const;

    event_loop* loop_;
    pool_options options_;
    std::size_t limit_;
    std::size_t running_ = 0;
    bool closed_ = false;
    bool stopping_ = false;
    job_queue queue_;
    intrusive_list<parked_item> parked_;
    std::size_t parked_size_ = 0;
    group group_;
    wait_list idle_waiters_;
    job* outer_ = nullptr;             // see outer()
    posted_job* spare_ = nullptr;      // chained by next_spare
    std::size_t records_ = 0;          // spare ones and others
    std::uint64_t never_started_ = 0;  // jobs that ended before their body began
    mutable thread_gate gate_;
    pool_stats stats_;
};

}  // namespace weir::detail
