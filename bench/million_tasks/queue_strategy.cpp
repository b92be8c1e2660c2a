// Strategy `queue`: what one writes by hand where there is no pool: a producer, a bounded channel
// and as many consumers as may run at a time. Bounded too, and no results, errors, deadlines or
// nesting.
#include <weir/runtime/channel.hpp>
#include <weir/runtime/scope.hpp>

#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> consume(weir::channel<Input>* inputs, run_state* state) {
    while (std::optional<Input> input = co_await inputs->receive()) {
        static_cast<void>(co_await work<Input>(std::move(*input), state));
    }
}

template <class Input>
weir::task<> produce(weir::scope& consumers, weir::channel<Input>* inputs, run_state* state) {
    for (std::uint64_t i = 0; i < state->concurrency(); ++i) {
        consumers.spawn(consume<Input>, inputs, state);
    }
    for (std::uint64_t i = 0; i < state->tasks(); ++i) {
        co_await inputs->send(Input(state->recipe(), i));
        state->note_queued(inputs->size());
    }
    inputs->close();  // the consumers end when it is empty
}

}  // namespace

template <class Input>
weir::task<> queue_strategy(run_state* state) {
    weir::channel<Input> inputs(state->queue());
    co_await weir::with_scope(produce<Input>, &inputs, state);
}

template weir::task<> queue_strategy<text>(run_state*);
template weir::task<> queue_strategy<number>(run_state*);

}  // namespace million_tasks
