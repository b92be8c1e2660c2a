// Strategy `pool`: the producer hands each task over and waits while the queue is full. Memory
// follows the pool's two limits, however many tasks there are.
#include <weir/pool/with_pool.hpp>

#include "pool_note.hpp"
#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> produce(weir::pool& pool, run_state* state) {
    const pool_note note(pool, *state);
    for (std::uint64_t i = 0; i < state->tasks(); ++i) {
        co_await pool.post(work<Input>, Input(state->recipe(), i), state);
    }
    co_await pool.drain();
}

}  // namespace

template <class Input>
weir::task<> pool_strategy(run_state* state) {
    weir::pool_options limits;
    limits.max_concurrency = state->concurrency();
    limits.max_queue_size = state->queue();
    co_await weir::with_pool(limits, produce<Input>, state);
}

template weir::task<> pool_strategy<text>(run_state*);
template weir::task<> pool_strategy<number>(run_state*);

}  // namespace million_tasks
