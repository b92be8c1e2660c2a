// event_loop: runs tasks on one thread over io_uring.
//
//     weir::event_loop loop;
//     int status = loop.run(serve());  // returns what the task returns, rethrows what it throws
//
// A tick runs what is ready (at most tick_budget resumes, so that I/O and timers are never
// starved), drains the inbox, hands all operations over and reaps completions in at most one
// system call, then fires timers. A tick that has runnable work and nothing to submit makes no
// system call; an idle loop sleeps in one and costs nothing.
//
// Limits: operations in flight (max_in_flight) and posted functions (inbox_capacity) are bounded;
// what exceeds the first waits its turn, what exceeds the second makes the poster wait.
// Threads: a loop belongs to the thread of its first run(). post, try_post are for any thread;
// everything else is for the loop's own.
// Lifetime: outlives its tasks, its pools and every thread that posts to it.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "detail/root_task.hpp"
#include "driver.hpp"
#include "inbox.hpp"
#include "scheduler.hpp"
#include "task.hpp"

namespace weir {

struct event_loop_options {
    // Virtual time; null for the machine's steady clock. Outlives the loop.
    manual_clock* clock = nullptr;
    // Entries of the submission queue, 1 to 32,768, rounded up to a power of two by the kernel.
    // Halved while the kernel refuses for want of memory.
    unsigned ring_entries = 256;
    // Operations in the kernel at a time, 1 to 1,048,576; more wait in order. Each socket that is
    // waited for counts, so this has to exceed their number. The table grows as it is used.
    unsigned max_in_flight = 262'144;
    // Resumes a tick, 1 or more.
    unsigned tick_budget = 256;
    // Functions in the inbox at a time, 1 or more.
    std::size_t inbox_capacity = 65'536;
    // A resume that holds the loop longer than this is counted and reported on standard error with
    // the name of its task; zero turns the detector (two clock reads a resume) off.
    duration stall_threshold = duration::zero();
    // Buffers that all sockets of the loop share for receive(), 1 to 32,768, rounded up to a power
    // of two, and the bytes of each, 64 to 1 MiB. Allocated at the first receive(). One connection
    // holds at most an eighth of them.
    unsigned receive_buffers = 256;
    unsigned receive_buffer_size = 4096;
    // Static storage; named in reports.
    const char* name = "loop";
    // What the loop may use of what the kernel offers; for comparing, and for testing the ways
    // without.
    io_features features = {.silent = true,
                            .accept_multishot = true,
                            .receive_multishot = true,
                            .bundles = true,
                            .zero_copy = true};
};

// Something that a loop has one of, shared by what runs on it; see event_loop::service.
class loop_service {
  public:
    loop_service() = default;
    loop_service(const loop_service&) = delete;
    loop_service& operator=(const loop_service&) = delete;
    virtual ~loop_service() = default;
};

class event_loop : public scheduler {
  public:
    // Throws std::invalid_argument for an option out of its range, and std::system_error
    // (errc::ring_unavailable) where io_uring cannot be used, naming cause and cure.
    explicit event_loop(event_loop_options options = {});

    // With a driver of the caller's; options.clock, ring_entries and max_in_flight are not used.
    explicit event_loop(std::unique_ptr<weir::driver> io, event_loop_options options = {});

    // Requires that no task is left on the loop.
    ~event_loop();

    // Runs `main` to its end. Other tasks (jobs of a pool that outlives it) stay where they are
    // and go on in the next run. Repeatable, not nested: inside run() it throws std::system_error
    // (errc::loop_already_running).
    template <class T>
    T run(task<T> main) {
        detail::root_task<T> root(*this, std::move(main));
        run_root(root, root);
        return root.take();
    }

    // Runs `function` (a nullary callable, moved in) on the loop's thread, in the order of posting.
    // Blocks while the inbox is full, so while nobody runs the loop no more than inbox_capacity
    // functions may be posted. Inside the run() of this or another loop it throws std::system_error
    // (errc::inbox_full) instead: two loops that wait for each other would wait for ever.
    // `function` must not throw. Any thread.
    template <class F>
    void post(F function) {
        inbox_.push(inbox::entry(std::move(function)), scheduler::current() != nullptr);
    }

    // False, and `function` untouched, when the inbox is full. Any thread.
    template <class F>
    [[nodiscard]] bool try_post(F& function) {
        return inbox_.try_emplace(function);
    }

    // The same without bound: for requests that are themselves bounded by what made them.
    template <class F>
    void post_urgent(F function) {
        inbox_.push_urgent(inbox::entry(std::move(function)));
    }

    // The loop that runs on this thread, or null outside of run().
    [[nodiscard]] static event_loop* current() noexcept {
        return static_cast<event_loop*>(scheduler::current());
    }

    // The loop's own object of class T, a loop_service, made by T(event_loop&) when it is first
    // asked for and destroyed with the loop.
    template <std::derived_from<loop_service> T>
    [[nodiscard]] T& service() {
        static constexpr char key = 0;
        if (loop_service* const known = find_service(&key)) {
            return static_cast<T&>(*known);
        }
        return static_cast<T&>(add_service(&key, std::make_unique<T>(*this)));
    }

    // Whether this loop was first run on the calling thread, inside run() or not. Any thread.
    [[nodiscard]] bool is_own_thread() const noexcept {
        // Relaxed: only the thread that has stored its own id finds that.
        return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    [[nodiscard]] loop_counters counters() const noexcept;
    [[nodiscard]] const event_loop_options& options() const noexcept { return options_; }

    // The tree of live tasks: name, what each awaits and since when. For people; the format may
    // change.
    void dump(std::ostream& out) const;
    [[nodiscard]] std::string dump() const;

    // Root contexts (main tasks, pools) announce themselves so that dump() finds them.
    void add_root(detail::stop_listener& root) noexcept { roots_.push_back(root); }

  private:
    void run_root(context& root, detail::completion_flag& done);
    void tick(const detail::completion_flag& done);
    [[nodiscard]] bool has_ready() const noexcept { return !ready_.empty() || !soon_.empty(); }
    void run_ready();
    void run_tick_ends() noexcept;
    void finish_orphans();
    [[nodiscard]] loop_service* find_service(const void* key) const noexcept;
    loop_service& add_service(const void* key, std::unique_ptr<loop_service> made);
    void resume(detail::ready_node& node);
    void resume_timed(detail::ready_node& node);
    void run_continuations();
    void report_stall(const char* task, duration held);
    void wait_for_events();

    event_loop_options options_;
    std::unique_ptr<weir::driver> driver_owner_;
    weir::inbox inbox_;
    std::vector<std::pair<const void*, std::unique_ptr<loop_service>>> services_;
    detail::intrusive_list<detail::stop_listener> roots_;
    bool attached_ = false;
    std::atomic<std::thread::id> thread_;  // of the first run
};

}  // namespace weir
