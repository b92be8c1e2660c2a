// Strategy `run`: one task at a time through the pool, its result awaited before the next. This is
// what a call through the pool costs when nothing overlaps.
#include <weir/pool/with_pool.hpp>

#include "pool_note.hpp"
#include "strategies.hpp"

namespace million_tasks {
namespace {

template <class Input>
weir::task<> call(weir::pool& pool, run_state* state) {
    const pool_note note(pool, *state);
    for (std::uint64_t i = 0; i < state->tasks(); ++i) {
        static_cast<void>(co_await pool.run(work<Input>, Input(state->recipe(), i), state));
    }
}

}  // namespace

template <class Input>
weir::task<> run_strategy(run_state* state) {
    weir::pool_options limits;
    limits.max_concurrency = state->concurrency();
    limits.max_queue_size = state->queue();
    co_await weir::with_pool(limits, call<Input>, state);
}

template weir::task<> run_strategy<text>(run_state*);
template weir::task<> run_strategy<number>(run_state*);

}  // namespace million_tasks
