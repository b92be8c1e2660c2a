// Awaiting a child, spawning and joining, yielding, when_all, with_timeout.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <coroutine>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/when_all.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "bare.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int batch = 1'000;  // operations between two looks at whether the time is up

// Not inlined, so that no compiler leaves out the frame.
[[gnu::noinline]] weir::task<int> child(int value) { co_return value + 1; }
template <class Memory>
[[gnu::noinline]] bare::task<Memory> bare_child(int value) {
    co_return value + 1;
}

weir::task<> await_children(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await child(index);
        }
    }
    benchmark::DoNotOptimize(sum);
}

void weir_await_child(benchmark::State& state) { weir::run(await_children(&state)); }
BENCHMARK(weir_await_child)->Name("weir/await_child");

template <class Memory>
bare::task<Memory> bare_await_children(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await bare_child<Memory>(index);
        }
    }
    benchmark::DoNotOptimize(sum);
    co_return sum;
}

template <class Memory>
void bare_await_child(benchmark::State& state) {
    const auto parent = bare_await_children<Memory>(&state);
    parent.handle().resume();
}
BENCHMARK(bare_await_child<bare::recycled>)->Name("floor/await_child");
BENCHMARK(bare_await_child<bare::from_heap>)->Name("malloc/await_child");

template <class Memory>
void create_run_destroy(benchmark::State& state) {
    int sum = 0;
    while (state.KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            const auto one = bare_child<Memory>(index);
            one.handle().resume();
            sum += one.handle().promise().value;
        }
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(create_run_destroy<bare::recycled>)->Name("floor/create_run_destroy");
BENCHMARK(create_run_destroy<bare::from_heap>)->Name("malloc/create_run_destroy");

weir::task<> spawn_and_join(benchmark::State* state) {
    while (state->KeepRunningBatch(batch)) {
        weir::scope s;
        for (int index = 0; index < batch; ++index) {
            s.spawn(child(index));
        }
        co_await s.join();
    }
}

void weir_spawn_join(benchmark::State& state) { weir::run(spawn_and_join(&state)); }
BENCHMARK(weir_spawn_join)->Name("weir/spawn_join");

// A thousand coroutines that stand in an array, are run in its order, and are destroyed.
void bare_spawn_join(benchmark::State& state) {
    std::array<std::coroutine_handle<bare::task<bare::recycled>::promise_type>, batch> ready;
    int sum = 0;
    while (state.KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            ready[static_cast<std::size_t>(index)] = bare_child<bare::recycled>(index).release();
        }
        for (const auto handle : ready) {
            handle.resume();
            sum += handle.promise().value;
            handle.destroy();
        }
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(bare_spawn_join)->Name("floor/spawn_join");

weir::task<> keep_yielding(benchmark::State* state) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await weir::yield();
        }
    }
}

void weir_yield(benchmark::State& state) { weir::run(keep_yielding(&state)); }
BENCHMARK(weir_yield)->Name("weir/yield");

bare::task<bare::recycled> bare_keep_yielding(benchmark::State* state, bare::ready_list* ready) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await ready->yield();
        }
    }
    co_return 0;
}

void bare_yield(benchmark::State& state) {
    bare::ready_list ready;
    const auto one = bare_keep_yielding(&state, &ready);
    one.handle().resume();
    ready.run();
}
BENCHMARK(bare_yield)->Name("floor/yield");

weir::task<> yield_until(const bool* stop) {
    while (!*stop) {
        co_await weir::yield();
    }
}

// One turn of one task among a thousand.
weir::task<> yield_among(benchmark::State* state, int others) {
    weir::scope s;
    bool stop = false;
    for (int index = 0; index < others; ++index) {
        s.spawn(yield_until(&stop));
    }
    while (state->KeepRunningBatch(others + 1)) {
        co_await weir::yield();
    }
    stop = true;
    co_await s.join();
}

void weir_yield_among(benchmark::State& state) { weir::run(yield_among(&state, batch - 1)); }
BENCHMARK(weir_yield_among)->Name("weir/yield_among_1000");

weir::task<> wait_for_two(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            const auto [first, second] = co_await weir::when_all(child(index), child(index));
            sum += first + second;
        }
    }
    benchmark::DoNotOptimize(sum);
}

void weir_when_all(benchmark::State& state) { weir::run(wait_for_two(&state)); }
BENCHMARK(weir_when_all)->Name("weir/when_all_of_2");

weir::task<> limit_time(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await weir::with_timeout(1s, child(index));
        }
    }
    benchmark::DoNotOptimize(sum);
}

void weir_with_timeout(benchmark::State& state) { weir::run(limit_time(&state)); }
BENCHMARK(weir_with_timeout)->Name("weir/with_timeout");

}  // namespace
