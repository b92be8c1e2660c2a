// Strategy `semaphore`: every task is spawned at once and waits for a permit. The semaphore limits
// how many run, not how many exist: each that waits keeps its frame and its payload.
#include <weir/runtime/scope.hpp>
#include <weir/runtime/semaphore.hpp>

#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> limited(weir::semaphore* permits, Input input, run_state* state) {
    const auto permit = co_await permits->acquire();
    static_cast<void>(co_await work<Input>(std::move(input), state));
}

template <class Input>
weir::task<> spawn_all(weir::scope& tasks, weir::semaphore* permits, run_state* state) {
    for (std::uint64_t i = 0; i < state->tasks(); ++i) {
        tasks.spawn(limited<Input>, permits, Input(state->recipe(), i), state);
    }
    state->note_queued(state->tasks());
    co_return;  // the scope waits for them
}

}  // namespace

template <class Input>
weir::task<> semaphore_strategy(run_state* state) {
    weir::semaphore permits(state->concurrency());
    co_await weir::with_scope(spawn_all<Input>, &permits, state);
}

template weir::task<> semaphore_strategy<text>(run_state*);
template weir::task<> semaphore_strategy<number>(run_state*);

}  // namespace million_tasks
