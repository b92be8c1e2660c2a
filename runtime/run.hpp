// weir::run: a main task on a loop of its own.
//
//     weir::task<int> main_task();
//     int main() { return weir::run(main_task()); }
//
// With stop_signals, the listed signals ask the main task to stop instead of ending the process:
//
//     weir::run_options options;
//     options.stop_signals = {SIGINT, SIGTERM};
//     return weir::run(main_task(), options);
//
// The first such signal requests the stop; from then on the signals act as they did before, so a
// second Ctrl-C ends a program that does not listen. They are blocked in the calling thread (and in
// threads it starts) while the task runs; a thread that was started before and does not block them
// may take them instead.
//
// A program that ends in its own way, by draining say, gives a function: the first signal calls it,
// the second requests the stop.
//
//     weir::stop_source accepting;   // with_stop(accepting, ...) in main_task
//     options.on_first_signal = [&accepting] { accepting.request_stop(); };
//
// Errors: what the task throws; what the constructor of event_loop throws; std::system_error when a
// signal cannot be watched (signalfd(2)).
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "detail/signal_source.hpp"
#include "detail/subtask.hpp"
#include "event_loop.hpp"
#include "scope.hpp"
#include "task.hpp"

namespace weir {

struct run_options {
    event_loop_options loop = {};
    std::vector<int> stop_signals = {};
    // Called on the loop by the first signal, in place of the stop. What it throws ends run().
    std::function<void()> on_first_signal = {};
};

namespace detail {

// Watches signals while it lives, and stops `target` at the first, or at the second where the first
// calls a function.
class signal_watch {
  public:
    signal_watch(context& target, const std::vector<int>& signals,
                 std::function<void()> on_first_signal)
        : target_(target),
          source_(signals, "stop_signals"),
          on_first_signal_(std::move(on_first_signal)) {}

    // Waits for the signals or for the stop of the watch.
    [[nodiscard]] task<> watch();

  private:
    context& target_;
    signal_source source_;
    std::function<void()> on_first_signal_;
};

// ref: all live in the frame that waits for this. Spawning inside a child makes a failing
// allocation an error of the scope.
template <class T>
task<> run_beside_watch(scope& s, signal_watch& watch, subtask<T>& child) {
    s.spawn(watch.watch());
    co_await child;
    s.request_stop();
}

template <class T>
task<T> run_until_signal(task<T> main, std::vector<int> signals,
                         std::function<void()> on_first_signal) {
    subtask<T> child(std::move(main));
    signal_watch watch(child, signals, std::move(on_first_signal));
    scope s;
    s.spawn_named("main", run_beside_watch<T>, s, watch, child);
    co_await s.join();
    co_return child.take();
}

}  // namespace detail

template <class T>
T run(task<T> main, const run_options& options = {}) {
    event_loop loop(options.loop);
    if (options.stop_signals.empty()) {
        return loop.run(std::move(main));
    }
    return loop.run(
        detail::run_until_signal(std::move(main), options.stop_signals, options.on_first_signal));
}

}  // namespace weir
