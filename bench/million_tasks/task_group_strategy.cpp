// Strategy `task_group`: every task is spawned at once, without a limit. All of them exist, and all
// of them run, at the same time.
#include <weir/runtime/scope.hpp>

#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> spawn_all(weir::scope& tasks, run_state* state) {
    for (std::uint64_t i = 0; i < state->tasks(); ++i) {
        tasks.spawn(work<Input>, Input(state->recipe(), i), state);
    }
    state->note_queued(state->tasks());
    co_return;  // the scope waits for them
}

}  // namespace

template <class Input>
weir::task<> task_group_strategy(run_state* state) {
    co_await weir::with_scope(spawn_all<Input>, state);
}

template weir::task<> task_group_strategy<text>(run_state*);
template weir::task<> task_group_strategy<number>(run_state*);

}  // namespace million_tasks
