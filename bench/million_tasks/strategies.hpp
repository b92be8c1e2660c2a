// Six ways to run a great many tasks, at most `concurrency` at a time where the way allows a limit.
// Each is a task<> in a file of its own, short enough to be read as an example.
//
// `Input` is `text` or `number`. All of them end early, by weir::canceled, when they are stopped.
#pragma once

#include <string_view>
#include <utility>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/task.hpp>

#include "run_state.hpp"

namespace million_tasks {

// The task that all of them run: sleeps if that is asked for, makes its result, accounts for it.
template <class Input>
auto work(Input input, run_state* state) -> weir::task<decltype(input.result())> {
    if (state->pauses()) {
        const run_state::running_mark mark(*state);
        co_await weir::sleep_for(state->pause_of(input.index()));
    }
    auto result = input.result();
    state->finish(digest(result));
    co_return result;
}

template <class Input>
weir::task<> pool_strategy(run_state* state);
template <class Input>
weir::task<> semaphore_strategy(run_state* state);
template <class Input>
weir::task<> task_group_strategy(run_state* state);
template <class Input>
weir::task<> batches_strategy(run_state* state);
template <class Input>
weir::task<> queue_strategy(run_state* state);
template <class Input>
weir::task<> run_strategy(run_state* state);

using strategy = weir::task<> (*)(run_state*);

// Requires a name out of strategy_names().
[[nodiscard]] strategy find_strategy(std::string_view name, std::uint64_t payload_bytes);

}  // namespace million_tasks
