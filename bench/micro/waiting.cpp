// Channels, semaphores, and stopping what sleeps.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <weir/runtime/channel.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/semaphore.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "bare.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int batch = 1'000;  // operations between two looks at whether the time is up

weir::task<> send_all(benchmark::State* state, weir::channel<int>* numbers) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await numbers->send(index);
        }
    }
    numbers->close();
}

weir::task<> receive_all(weir::channel<int>* numbers) {
    long sum = 0;
    while (const auto number = co_await numbers->receive()) {
        sum += *number;
    }
    benchmark::DoNotOptimize(sum);
}

weir::task<> pass_numbers(benchmark::State* state, std::size_t capacity) {
    weir::channel<int> numbers(capacity);
    weir::scope s;
    s.spawn(receive_all(&numbers));
    s.spawn(send_all(state, &numbers));
    co_await s.join();
}

void weir_channel_64(benchmark::State& state) { weir::run(pass_numbers(&state, 64)); }
BENCHMARK(weir_channel_64)->Name("weir/channel_64");

void weir_channel_rendezvous(benchmark::State& state) { weir::run(pass_numbers(&state, 0)); }
BENCHMARK(weir_channel_rendezvous)->Name("weir/channel_rendezvous");

// 64 numbers into a ring and out again, in one function.
void bare_ring(benchmark::State& state) {
    constexpr std::size_t places = 64;
    std::array<int, places> ring{};
    std::size_t first = 0;
    std::size_t last = 0;
    long sum = 0;
    while (state.KeepRunningBatch(places)) {
        for (std::size_t index = 0; index < places; ++index) {
            benchmark::DoNotOptimize(ring[last++ % places] = static_cast<int>(index));
        }
        while (first != last) {
            sum += ring[first++ % places];
        }
        benchmark::ClobberMemory();
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(bare_ring)->Name("floor/channel_64");

// Two coroutines that take turns, a number lying between them.
bare::task<bare::recycled> bare_send(benchmark::State* state, bare::ready_list* ready, int* place) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            *place = index;
            co_await ready->yield();
        }
    }
    *place = -1;
    co_return 0;
}

bare::task<bare::recycled> bare_receive(bare::ready_list* ready, const int* place) {
    long sum = 0;
    while (*place >= 0) {
        sum += *place;
        co_await ready->yield();
    }
    benchmark::DoNotOptimize(sum);
    co_return 0;
}

void bare_rendezvous(benchmark::State& state) {
    bare::ready_list ready;
    int place = 0;
    const auto sender = bare_send(&state, &ready, &place);
    const auto receiver = bare_receive(&ready, &place);
    sender.handle().resume();
    receiver.handle().resume();
    ready.run();
}
BENCHMARK(bare_rendezvous)->Name("floor/channel_rendezvous");

weir::task<> acquire_alone(benchmark::State* state) {
    weir::semaphore permits(2);
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            const auto permit = co_await permits.acquire();
        }
    }
}

void weir_semaphore_free(benchmark::State& state) { weir::run(acquire_alone(&state)); }
BENCHMARK(weir_semaphore_free)->Name("weir/semaphore_free");

// Holds the permit across one turn at first, so that all others stand in line from then on.
weir::task<> acquire_in_turn(weir::semaphore* permits, const bool* stop, long* granted) {
    {
        const auto permit = co_await permits->acquire();
        co_await weir::yield();
    }
    while (!*stop) {
        const auto permit = co_await permits->acquire();
        ++*granted;
    }
}

weir::task<> contend(benchmark::State* state, int others) {
    weir::semaphore permits(1);
    weir::scope s;
    bool stop = false;
    long granted = 0;
    for (int index = 0; index < others; ++index) {
        s.spawn(acquire_in_turn(&permits, &stop, &granted));
    }
    {
        const auto permit = co_await permits.acquire();
        co_await weir::yield();
    }
    // One grant to each of the others, and one to this task.
    while (state->KeepRunningBatch(others + 1)) {
        const auto permit = co_await permits.acquire();
    }
    stop = true;
    co_await s.join();
    benchmark::DoNotOptimize(granted);
}

void weir_semaphore_contended(benchmark::State& state) { weir::run(contend(&state, 9)); }
BENCHMARK(weir_semaphore_contended)->Name("weir/semaphore_contended_10");

weir::task<> sleep_for_ever() { co_await weir::sleep_for(24h); }

weir::task<> stop_sleepers(benchmark::State* state) {
    while (state->KeepRunningBatch(batch)) {
        weir::scope s;
        for (int index = 0; index < batch; ++index) {
            s.spawn(sleep_for_ever());
        }
        co_await weir::yield();  // all sleep now
        s.request_stop();
        co_await s.join();
    }
}

void weir_cancel_sleep(benchmark::State& state) { weir::run(stop_sleepers(&state)); }
BENCHMARK(weir_cancel_sleep)->Name("weir/spawn_sleep_cancel_join");

}  // namespace
