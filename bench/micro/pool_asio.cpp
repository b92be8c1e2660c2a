// The same work as pool.cpp in Boost.Asio, which has no pool of coroutines: a channel of 10,000 as
// queue and 1,000 workers that receive from it; and co_spawn, without any bound, where a result is
// waited for.
#include <benchmark/benchmark.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace {

namespace asio = boost::asio;
using executor = asio::io_context::executor_type;
template <class T = void>
using awaitable = asio::awaitable<T, executor>;
constexpr asio::use_awaitable_t<executor> use_awaitable;
using error_code = boost::system::error_code;
using channel = asio::experimental::channel<executor, void(error_code, int)>;

constexpr int batch = 1'000;
constexpr int workers = 1'000;
constexpr std::size_t places = 10'000;
constexpr int no_more = -1;

[[gnu::noinline]] awaitable<int> job(int value, executor) { co_return value + 1; }
awaitable<int> yielding_job(int value, executor here) {
    co_await asio::post(here, use_awaitable);
    co_return value + 1;
}
using any_job = awaitable<int> (*)(int, executor);

awaitable<> work(channel* queue, any_job run, executor here) {
    long sum = 0;
    for (int value = 0; value != no_more; value = co_await queue->async_receive(use_awaitable)) {
        sum += co_await run(value, here);
    }
    benchmark::DoNotOptimize(sum);
}

awaitable<> post_all(benchmark::State* state, channel* queue) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await queue->async_send(error_code(), index, use_awaitable);
        }
    }
    for (int worker = 0; worker < workers; ++worker) {
        co_await queue->async_send(error_code(), no_more, use_awaitable);
    }
}

template <any_job Job>
void asio_pool_post(benchmark::State& state) {
    asio::io_context context(1);
    channel queue(context.get_executor(), places);
    for (int worker = 0; worker < workers; ++worker) {
        asio::co_spawn(context.get_executor(), work(&queue, Job, context.get_executor()),
                       asio::detached);
    }
    context.poll();  // all workers wait now
    asio::co_spawn(context.get_executor(), post_all(&state, &queue), asio::detached);
    context.run();
}
BENCHMARK(asio_pool_post<job>)->Name("asio/pool_post");
BENCHMARK(asio_pool_post<yielding_job>)->Name("asio/pool_post_yielding");

awaitable<> run_all(benchmark::State* state, executor here) {
    long sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await asio::co_spawn(here, job(index, here), use_awaitable);
        }
    }
    benchmark::DoNotOptimize(sum);
}

void asio_pool_run(benchmark::State& state) {
    asio::io_context context(1);
    asio::co_spawn(context.get_executor(), run_all(&state, context.get_executor()), asio::detached);
    context.run();
}
BENCHMARK(asio_pool_run)->Name("asio/pool_run");

}  // namespace
