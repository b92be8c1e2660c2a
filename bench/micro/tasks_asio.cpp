// The same work as tasks.cpp in Boost.Asio, with executors of a concrete type, which it is fastest
// with.
#include <benchmark/benchmark.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using executor = asio::io_context::executor_type;
template <class T = void>
using awaitable = asio::awaitable<T, executor>;
constexpr asio::use_awaitable_t<executor> use_awaitable;

constexpr int batch = 1'000;

[[gnu::noinline]] awaitable<int> child(int value) { co_return value + 1; }

void run(asio::io_context& context, awaitable<> main) {
    asio::co_spawn(context.get_executor(), std::move(main), asio::detached);
    context.run();
}

awaitable<> await_children(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await child(index);
        }
    }
    benchmark::DoNotOptimize(sum);
}

void asio_await_child(benchmark::State& state) {
    asio::io_context context(1);
    run(context, await_children(&state));
}
BENCHMARK(asio_await_child)->Name("asio/await_child");

awaitable<> count_down(int value) {
    benchmark::DoNotOptimize(value);
    co_return;
}

// run() returns when all that was spawned has ended: the join.
void asio_spawn_join(benchmark::State& state) {
    asio::io_context context(1);
    while (state.KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            asio::co_spawn(context.get_executor(), count_down(index), asio::detached);
        }
        context.run();
        context.restart();
    }
}
BENCHMARK(asio_spawn_join)->Name("asio/spawn_join");

awaitable<> keep_yielding(benchmark::State* state, executor here) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await asio::post(here, use_awaitable);
        }
    }
}

void asio_yield(benchmark::State& state) {
    asio::io_context context(1);
    run(context, keep_yielding(&state, context.get_executor()));
}
BENCHMARK(asio_yield)->Name("asio/yield");

awaitable<> wait_for_two(benchmark::State* state) {
    int sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            const auto [first, second] = co_await (child(index) && child(index));
            sum += first + second;
        }
    }
    benchmark::DoNotOptimize(sum);
}

void asio_when_all(benchmark::State& state) {
    asio::io_context context(1);
    run(context, wait_for_two(&state));
}
BENCHMARK(asio_when_all)->Name("asio/when_all_of_2");

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, executor>;

// as_tuple: the timer's cancellation is then a value, which costs much less than an exception.
awaitable<> limit_time(benchmark::State* state, executor here) {
    std::size_t ended = 0;
    timer limit(here);
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            limit.expires_after(1s);
            const auto first =
                co_await (child(index) || limit.async_wait(asio::as_tuple(use_awaitable)));
            ended += first.index();
        }
    }
    benchmark::DoNotOptimize(ended);
}

void asio_with_timeout(benchmark::State& state) {
    asio::io_context context(1);
    run(context, limit_time(&state, context.get_executor()));
}
BENCHMARK(asio_with_timeout)->Name("asio/with_timeout");

}  // namespace
