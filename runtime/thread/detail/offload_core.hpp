// What an offload pool and the calls on it share.
//
// A call stands in the frame of the task that awaits it, so handing it in allocates nothing, and
// the list of those that wait for a thread is bounded by the number of tasks.
//
// States of an offload_job, and who moves it:
//   idle      not handed in, or refused
//   waiting   it stands in jobs_ (the loop's thread, in submit())
//   withdrawn a stop came while it waited (the loop's thread, in withdraw()); the call never runs
//   running   a thread has taken it out of jobs_; only that thread touches the outcome
//   ended     that thread has posted the end to the loop, which wakes the task in arrive()
//
// Why arrive() takes `delivery`: the thread holds that mutex while it posts. A task that went on
// before the post has returned could end its loop, and the post would touch what is gone.
//
// Invariants: threads_ <= threads_max; when a job waits and a thread is free, that thread is on its
// way to the job.
// Thread: submit, withdraw, arrive: that of the loop that awaits; work: a thread of the pool.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <system_error>

#include "../../event_loop.hpp"
#include "../../task.hpp"
#include "process_bound.hpp"

namespace weir {

struct offload_options {
    // Threads at a time, 1 to 4,096; 0 stands for the number of processors that the process may use
    // and 4 more, at most 32.
    std::size_t threads_max = 0;
    // Calls that wait for a thread before the pool counts as full; 0 or more.
    std::size_t queue_max = 1024;
    // Static storage. The threads carry it (its first 15 bytes), errors and dump() name it.
    const char* name = "weir-offload";
};

// A moment's view. Calls: busy + queued + parked have not ended.
struct offload_stats {
    std::size_t threads = 0;  // started; they stay
    std::size_t busy = 0;     // of these, running a call
    std::size_t queued = 0;   // calls that wait for a thread, 0 to queue_max
    std::size_t parked = 0;   // calls that came when the queue was full; they move up in order
};

namespace detail {

class offload_core;

class offload_job : public listed_waiter {
  public:
    // On a thread of the pool.
    virtual void run() noexcept = 0;

    // While run() may be running: asks it to end soon. On the loop's thread.
    virtual void ask_to_stop() noexcept {}

  protected:
    offload_job() = default;
    ~offload_job() = default;

    // Suspends `task` until the call has ended. False when it need not, because it was stopped or
    // refused.
    bool begin(offload_core& core, context& task, std::coroutine_handle<> resume,
               bool unless_full) noexcept;

    // Throws weir::canceled where the call was withdrawn, and std::system_error where no thread
    // could be started.
    void throw_if_not_run() const;
    [[nodiscard]] const std::error_code& refusal() const noexcept { return refusal_; }

  private:
    friend class offload_core;

    static void cancel(waiter& self) noexcept;
    void arrive() noexcept;

    offload_core* core_ = nullptr;
    std::mutex* delivery_ = nullptr;  // of the thread that ran it
    std::error_code refusal_;
};

class offload_core final : public forkable {
  public:
    // Throws std::invalid_argument.
    offload_core(const offload_options& options, bool detached);
    ~offload_core();

    // Nothing where the job will run. Else thread_errc::full (only with `unless_full`), or the
    // system's error where there is no thread and none can be started.
    [[nodiscard]] std::error_code submit(offload_job& job, bool unless_full) noexcept;

    // True where the job waited for a thread: it will not run.
    [[nodiscard]] bool withdraw(offload_job& job) noexcept;

    [[nodiscard]] offload_stats stats() const noexcept;
    [[nodiscard]] const offload_options& options() const noexcept { return options_; }

  private:
    friend class offload_job;

    struct worker {
        offload_core* core = nullptr;
        pthread_t id{};
        std::mutex delivery;
    };

    // Guarded by mutex_.
    [[nodiscard]] int start_worker() noexcept;

    void work(worker& self) noexcept;
    static void deliver(offload_job& job, worker& self) noexcept;
    void forget() noexcept { outstanding_.fetch_sub(1, std::memory_order_relaxed); }

    const offload_options options_;
    const bool detached_;
    const std::unique_ptr<worker[]> workers_;
    // Calls whose tasks wait; only the destructor's check reads it, ordered by its caller.
    std::atomic<std::size_t> outstanding_{0};

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable work_;
    intrusive_list<listed_waiter> jobs_;
    std::size_t waiting_ = 0;  // in jobs_
    std::size_t threads_ = 0;
    std::size_t busy_ = 0;
    bool closing_ = false;
};

}  // namespace detail
}  // namespace weir
