// The same work as timers.cpp in Boost.Asio, with executors of a concrete type.
#include <benchmark/benchmark.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "sleepers.hpp"

namespace {

namespace asio = boost::asio;
using executor = asio::io_context::executor_type;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, executor>;

asio::awaitable<void, executor> sleep_often(sleep_plan plan, int index, executor here) {
    timer sleep(here);
    for (int round = 0; round < plan.rounds; ++round) {
        sleep.expires_after(plan.length(index));
        co_await sleep.async_wait(asio::use_awaitable_t<executor>());
    }
}

void asio_sleep(benchmark::State& state) {
    const sleep_plan plan = sleep_plan::for_sleepers(static_cast<int>(state.range(0)));
    for ([[maybe_unused]] auto round : state) {
        asio::io_context context(1);
        for (int index = 0; index < plan.sleepers; ++index) {
            asio::co_spawn(context.get_executor(), sleep_often(plan, index, context.get_executor()),
                           asio::detached);
        }
        context.poll();  // all sleep now
        const double before = cpu_seconds();
        context.run();
        state.SetIterationTime((cpu_seconds() - before) / plan.sleeps());
    }
}
BENCHMARK(asio_sleep)->Name("asio/sleep")->Arg(1'000)->Arg(100'000)->UseManualTime()->Iterations(1);

}  // namespace
