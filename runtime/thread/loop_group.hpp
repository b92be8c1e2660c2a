// loop_group: one event loop per processor, each on a thread that is pinned there.
//
//     weir::loop_group_options options;
//     options.loops = 2;
//     weir::loop_group group(options);
//     std::future<int> answer = group.spawn_on(1, handle, 21);
//     for (std::future<int>& each : group.spawn_on_all(handle, 1)) { use(each.get()); }
//     group.join();   // waits for what was spawned, and rethrows the first failure
//
// What runs on a loop stays there: give each loop what it needs (a listener with SO_REUSEPORT by
// spawn_on_all, say) and share nothing. Calls take decay-copied arguments, return a task or a
// value, and start on their loop in the order of spawning. How many run is not bounded here; that
// is what a pool is for.
//
// Ending: join() refuses later calls, waits until all have ended and joins the threads; stop() asks
// every call to stop first. Both then rethrow the first failure among all calls, in time, whether
// or not its future was read; ending by weir::canceled after stop() is none. They report it once.
// The destructor stops, and reports nothing.
//
// Errors: std::invalid_argument for options out of their range; what event_loop's constructor
// throws, and std::system_error when a thread cannot be started or pinned: those that run already
// are then stopped. std::out_of_range for an index. std::system_error: thread_errc::closed,
// would_deadlock (join() or stop() by one of the loops' threads), forked in a child process.
// Lifetime: outlives every call of its functions. Thread: any.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "detail/loop_call.hpp"

namespace weir {

struct loop_group_options {
    // 1 to 1,024; without a value, as many as processors that the process may use.
    std::optional<std::size_t> loops = std::nullopt;
    // Whether loop i stays on the i-th of these processors (again the first after the last).
    bool pin = true;
    // Of each loop; `clock` is null unless there is just one.
    event_loop_options loop = {};
    // Static storage. Threads are called by it and their number, errors as well.
    const char* name = "weir-loop";
};

namespace detail {

struct loop_group_state final : forkable {
    explicit loop_group_state(const loop_group_options& options);
    // Asks all loops to stop before it waits for the first.
    ~loop_group_state();

    // Throws std::out_of_range; `call` is named.
    [[nodiscard]] loop_thread& at(std::size_t index, const char* call) const;

    first_failure failures;  // outlives the threads
    std::vector<std::unique_ptr<loop_thread>> threads;
};

}  // namespace detail

class loop_group {
  public:
    // Returns when all loops run.
    explicit loop_group(const loop_group_options& options = {});
    ~loop_group();
    loop_group(const loop_group&) = delete;
    loop_group& operator=(const loop_group&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return state_->threads.size(); }

    // 0 to size() - 1.
    [[nodiscard]] event_loop& loop(std::size_t index) const;

    // Starts function(arguments...) on loop `index`.
    template <class F, class... Arguments>
        requires detail::loop_callable<F, Arguments...>
    std::future<detail::loop_value<F, Arguments...>> spawn_on(std::size_t index, F&& function,
                                                              Arguments&&... arguments) {
        return detail::start_call(state("spawn_on").at(index, "spawn_on").enter(),
                                  std::forward<F>(function), std::forward<Arguments>(arguments)...);
    }

    // Starts a copy of it on every loop; the futures are in the order of the loops. Throws as
    // spawn_on; what was started before then goes on.
    template <class F, class... Arguments>
        requires detail::loop_callable<F, Arguments...>
    std::vector<std::future<detail::loop_value<F, Arguments...>>> spawn_on_all(
        const F& function, const Arguments&... arguments) {
        std::vector<std::future<detail::loop_value<F, Arguments...>>> futures;
        futures.reserve(size());
        for (const auto& thread : state("spawn_on_all").threads) {
            futures.push_back(detail::start_call(thread->enter(), function, arguments...));
        }
        return futures;
    }

    // Refuses later calls, and asks those that were accepted to stop; does not wait. Any thread,
    // also those of the loops.
    void request_stop();
    void stop();
    void join();

  private:
    // Throws thread_errc::forked.
    [[nodiscard]] detail::loop_group_state& state(const char* call) const {
        return state_.get(call);
    }
    void refuse_own_threads(const char* call) const;

    detail::process_bound<detail::loop_group_state> state_;
};

}  // namespace weir
