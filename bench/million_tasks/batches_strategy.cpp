// Strategy `batches`: as many tasks as may run at a time, then wait for all of them, then the next
// batch. Memory is bounded; one slow task idles the rest of its batch.
#include <algorithm>
#include <weir/runtime/scope.hpp>

#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> one_batch(weir::scope& tasks, std::uint64_t first, std::uint64_t end,
                       run_state* state) {
    for (std::uint64_t i = first; i < end; ++i) {
        tasks.spawn(work<Input>, Input(state->recipe(), i), state);
    }
    state->note_queued(end - first);
    co_return;  // the scope waits for them
}

}  // namespace

template <class Input>
weir::task<> batches_strategy(run_state* state) {
    for (std::uint64_t first = 0; first < state->tasks(); first += state->concurrency()) {
        const std::uint64_t end = std::min(first + state->concurrency(), state->tasks());
        co_await weir::with_scope(one_batch<Input>, first, end, state);
    }
}

template weir::task<> batches_strategy<text>(run_state*);
template weir::task<> batches_strategy<number>(run_state*);

}  // namespace million_tasks
