// Sleeping among many sleepers on the real clock: the processor time of one sleep, from arming to
// resuming, at a load that leaves the processor mostly idle. The time shown is processor time.
#include <benchmark/benchmark.h>

#include <chrono>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "sleepers.hpp"

namespace {

weir::task<> sleep_often(sleep_plan plan, int index) {
    for (int round = 0; round < plan.rounds; ++round) {
        co_await weir::sleep_for(plan.length(index));
    }
}

weir::task<> sleep_all(sleep_plan plan, double* cpu_seconds_used) {
    weir::scope s;
    for (int index = 0; index < plan.sleepers; ++index) {
        s.spawn(sleep_often(plan, index));
    }
    co_await weir::yield();  // all sleep now
    const double before = cpu_seconds();
    co_await s.join();
    *cpu_seconds_used = cpu_seconds() - before;
}

void weir_sleep(benchmark::State& state) {
    const sleep_plan plan = sleep_plan::for_sleepers(static_cast<int>(state.range(0)));
    for ([[maybe_unused]] auto round : state) {
        double used = 0;
        weir::run(sleep_all(plan, &used));
        state.SetIterationTime(used / plan.sleeps());
    }
}
BENCHMARK(weir_sleep)->Name("weir/sleep")->Arg(1'000)->Arg(100'000)->UseManualTime()->Iterations(1);

// The same number of sleeps on virtual time, which passes at once: what the loop itself costs,
// without the kernel.
void weir_sleep_manual(benchmark::State& state) {
    const sleep_plan plan = sleep_plan::for_sleepers(static_cast<int>(state.range(0)));
    for ([[maybe_unused]] auto round : state) {
        weir::manual_clock clock;
        weir::run_options options;
        options.loop.clock = &clock;
        double used = 0;
        weir::run(sleep_all(plan, &used), options);
        state.SetIterationTime(used / plan.sleeps());
    }
}
BENCHMARK(weir_sleep_manual)
    ->Name("weir/sleep_manual_clock")
    ->Arg(1'000)
    ->Arg(100'000)
    ->UseManualTime()
    ->Iterations(1);

}  // namespace
