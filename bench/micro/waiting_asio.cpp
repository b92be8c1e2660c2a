// The same work as waiting.cpp in Boost.Asio, with executors of a concrete type. Asio has no
// semaphore.
#include <benchmark/benchmark.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using executor = asio::io_context::executor_type;
template <class T = void>
using awaitable = asio::awaitable<T, executor>;
constexpr asio::use_awaitable_t<executor> use_awaitable;
using error_code = boost::system::error_code;
using channel = asio::experimental::channel<executor, void(error_code, int)>;

constexpr int batch = 1'000;

awaitable<> send_all(benchmark::State* state, channel* numbers) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await numbers->async_send(error_code(), index, use_awaitable);
        }
    }
    // close() would drop what stands in the channel.
    co_await numbers->async_send(error_code(), -1, use_awaitable);
}

awaitable<> receive_all(channel* numbers) {
    long sum = 0;
    for (int number = 0; number >= 0; number = co_await numbers->async_receive(use_awaitable)) {
        sum += number;
    }
    benchmark::DoNotOptimize(sum);
}

void pass_numbers(benchmark::State& state, std::size_t capacity) {
    asio::io_context context(1);
    channel numbers(context.get_executor(), capacity);
    asio::co_spawn(context.get_executor(), receive_all(&numbers), asio::detached);
    asio::co_spawn(context.get_executor(), send_all(&state, &numbers), asio::detached);
    context.run();
}

void asio_channel_64(benchmark::State& state) { pass_numbers(state, 64); }
BENCHMARK(asio_channel_64)->Name("asio/channel_64");

void asio_channel_rendezvous(benchmark::State& state) { pass_numbers(state, 0); }
BENCHMARK(asio_channel_rendezvous)->Name("asio/channel_rendezvous");

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, executor>;

awaitable<> sleep_for_ever(executor here) {
    timer sleep(here);
    sleep.expires_after(24h);
    // A value where weir throws: this is Asio's faster way.
    co_await sleep.async_wait(asio::as_tuple(use_awaitable));
}

awaitable<> stop_sleepers(benchmark::State* state, executor here) {
    std::vector<asio::cancellation_signal> signals(batch);
    while (state->KeepRunningBatch(batch)) {
        int live = batch;
        for (asio::cancellation_signal& signal : signals) {
            asio::co_spawn(here, sleep_for_ever(here),
                           asio::bind_cancellation_slot(
                               signal.slot(), [&live](const std::exception_ptr&) { --live; }));
        }
        co_await asio::post(here, use_awaitable);  // all sleep now
        for (asio::cancellation_signal& signal : signals) {
            signal.emit(asio::cancellation_type::terminal);
        }
        while (live != 0) {
            co_await asio::post(here, use_awaitable);
        }
    }
}

void asio_cancel_sleep(benchmark::State& state) {
    asio::io_context context(1);
    asio::co_spawn(context.get_executor(), stop_sleepers(&state, context.get_executor()),
                   asio::detached);
    context.run();
}
BENCHMARK(asio_cancel_sleep)->Name("asio/spawn_sleep_cancel_join");

}  // namespace
