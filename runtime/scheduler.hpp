// The part of an event loop that awaits touch: its ready queue, its timers and its idea of now.
//
//     weir::scheduler& loop = *weir::scheduler::current();   // inside a task
//     const weir::time_point deadline = loop.tick_time() + 10ms;
//
// Everything here is inline and free of system calls except now() and what timers do; the loop
// around it (event_loop.hpp) does the waiting.
//
// Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstdint>
#include <utility>

#include "clock.hpp"
#include "context.hpp"
#include "intrusive_list.hpp"
#include "ready_queue.hpp"
#include "timer_wheel.hpp"

namespace weir {

class driver;

// What a loop has done since it was made.
struct loop_counters {
    std::uint64_t ticks = 0;
    std::uint64_t resumes = 0;          // tasks resumed from the ready queue
    std::uint64_t starts_in_place = 0;  // pool jobs started by their submitter's await
    // Longest ready queue seen at the start of a tick; children of a scope that start one behind
    // the other count as one.
    std::uint64_t ready_depth_max = 0;
    std::uint64_t timers_armed = 0;
    std::uint64_t timers_fired = 0;
    std::uint64_t timers_canceled = 0;
    std::uint64_t posts = 0;             // functions run from the inbox
    std::uint64_t wakes = 0;             // wake-ups by other threads while the loop slept
    std::uint64_t stalls = 0;            // resumes that ran longer than stall_threshold
    std::uint64_t enters = 0;            // io_uring_enter calls
    std::uint64_t sqes = 0;              // operations handed to the kernel
    std::uint64_t cqes = 0;              // completions reaped
    std::uint64_t overflows = 0;         // times the completion queue had overflowed
    std::uint64_t deferred = 0;          // operations that waited for room under max_in_flight
    std::uint64_t buffer_shortages = 0;  // receives that ended for want of a free buffer
};

namespace detail {

// Something to be done when the tasks of this tick have run, before the loop turns to the kernel:
// where what they asked for one by one is handed over at once.
struct tick_end_node {
    explicit tick_end_node(void (*action)(tick_end_node&) noexcept) noexcept
        : at_tick_end(action) {}

    void (*at_tick_end)(tick_end_node&) noexcept;  // may start operations; resumes nobody
    tick_end_node* next_tick_end = nullptr;
    bool is_queued = false;
};

// Something whose owner has gone while the kernel still works for it: it ends by itself, unlinks
// and frees itself.
class orphan : public list_node {
  public:
    // The loop's run() is about to return: end soon (and not inside this call). Called once.
    virtual void give_up() noexcept = 0;

  protected:
    orphan() = default;
    ~orphan() = default;
};

}  // namespace detail

class scheduler {
  public:
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    // The loop that runs on this thread, or null outside of run().
    [[nodiscard]] static scheduler* current() noexcept { return current_; }

    // The clock, read now.
    [[nodiscard]] time_point now() const noexcept;

    // The clock as it was read at the start of this tick: free, and at most one tick old.
    [[nodiscard]] time_point tick_time() const noexcept { return tick_time_; }

    void make_ready(detail::ready_node& node) noexcept { ready_.push(node); }

    // The same at the front: for a node whose turn it still is.
    void make_ready_first(detail::ready_node& node) noexcept { ready_.push_first(node); }

    [[nodiscard]] bool is_last_ready(const detail::ready_node& node) const noexcept {
        return ready_.is_last(node);
    }

    // For a node that runs and could do the work of a next one, which would be first in the queue:
    // whether it may do so at once, with the same effect. Counts as a resume then.
    [[nodiscard]] bool goes_on() noexcept {
        if (next_ || !soon_.empty() || one_by_one_ || !take_budget()) {
            return false;
        }
        ++counters_.resumes;
        return true;
    }

    // The same as make_ready, ahead of the ready queue: what an ordinary node makes ready soon runs
    // right after it, what that makes ready soon in turn runs after the next ordinary one, so
    // nobody is starved. For handing one in where one went out: what takes the place of something
    // that has just ended finds its memory still warm.
    void make_ready_soon(detail::ready_node& node) noexcept { soon_.push(node); }

    // Continues `handle` as soon as what runs now returns to the loop, ahead of the ready queue:
    // how a child that has ended hands over to its parent without growing the stack.
    void resume_next(std::coroutine_handle<> handle) noexcept {
        if (const auto waiting = std::exchange(next_, handle)) [[unlikely]] {
            waiting.resume();
        }
    }

    void arm(detail::timer_node& timer, time_point deadline) noexcept {
        ++counters_.timers_armed;
        timers_.insert(timer, deadline);
    }

    // No effect on a timer that is not armed.
    void disarm(detail::timer_node& timer) noexcept {
        if (timer.is_linked()) {
            ++counters_.timers_canceled;
            timers_.remove(timer);
        }
    }

    // One unit of this tick's budget. False when it is used up: what would have gone on at once
    // then goes through the ready queue, so that I/O and timers are never starved.
    [[nodiscard]] bool take_budget() noexcept {
        if (budget_ == 0) {
            return false;
        }
        --budget_;
        return true;
    }

    // Runs `node` once at the end of this tick, in the order of these calls.
    void at_tick_end(detail::tick_end_node& node) noexcept {
        if (!std::exchange(node.is_queued, true)) {
            *tick_ends_tail_ = &node;
            tick_ends_tail_ = &node.next_tick_end;
        }
    }

    // No effect on one that is not queued.
    void cancel_tick_end(detail::tick_end_node& node) noexcept {
        if (!node.is_queued) {
            return;
        }
        for (detail::tick_end_node** link = &tick_ends_; *link != nullptr;
             link = &(*link)->next_tick_end) {
            if (*link == &node) {
                *link = std::exchange(node.next_tick_end, nullptr);
                node.is_queued = false;
                if (tick_ends_tail_ == &node.next_tick_end) {
                    tick_ends_tail_ = link;
                }
                return;
            }
        }
    }

    // Until it unlinks itself, run() does not return; see detail::orphan.
    void add_orphan(detail::orphan& left) noexcept { orphans_.push_back(left); }

    // The context of the task that runs now, or null.
    [[nodiscard]] context* running() const noexcept { return running_; }
    context* exchange_running(context* task) noexcept { return std::exchange(running_, task); }

    [[nodiscard]] loop_counters& counters_ref() noexcept { return counters_; }
    [[nodiscard]] driver& io() const noexcept { return *driver_; }

    // How deep in-place starts are nested on this thread's stack; see pool.
    unsigned in_place_depth = 0;

  protected:
    scheduler() = default;
    ~scheduler() = default;

    static inline constinit thread_local scheduler* current_ = nullptr;

    detail::ready_queue ready_;
    detail::ready_queue soon_;
    std::coroutine_handle<> next_;
    context* running_ = nullptr;
    unsigned budget_ = 0;
    bool one_by_one_ = false;  // the time of each node is taken
    time_point tick_time_{};
    driver* driver_ = nullptr;
    detail::tick_end_node* tick_ends_ = nullptr;
    detail::tick_end_node** tick_ends_tail_ = &tick_ends_;
    detail::intrusive_list<detail::orphan> orphans_;
    loop_counters counters_;
    detail::timer_wheel timers_;
};

namespace detail {

inline void waiter::suspend(context& task, std::coroutine_handle<> resume,
                            const wait_kind& why) noexcept {
    WEIR_DEBUG_ASSERT(task.waiting_ == nullptr, "a task waits in one place at a time");
    handle = resume;
    owner = &task;
    kind = &why;
    since = task.loop().tick_time();
    task.waiting_ = this;
}

inline void waiter::wake() noexcept {
    owner->waiting_ = nullptr;
    owner->loop().make_ready(*this);
    // The frame is resumed soon, after others that are woken with it: start fetching it now.
    __builtin_prefetch(handle.address());
}

inline void waiter::wake_cold(scheduler& loop) noexcept {
    constexpr std::ptrdiff_t cache_line = 64;
    const auto* const frame = static_cast<const char*>(handle.address());
    __builtin_prefetch(frame);
    __builtin_prefetch(frame + cache_line);
    __builtin_prefetch(frame + 2 * cache_line);
    const auto* const task = reinterpret_cast<const char*>(owner);
    __builtin_prefetch(task);
    __builtin_prefetch(task + 2 * cache_line);
    __builtin_prefetch(task + 4 * cache_line);
    owner->waiting_ = nullptr;
    loop.make_ready(*this);
}

inline void waiter::wake_soon() noexcept {
    owner->waiting_ = nullptr;
    owner->loop().make_ready_soon(*this);
}

}  // namespace detail
}  // namespace weir
