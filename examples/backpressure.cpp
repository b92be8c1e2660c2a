// A producer that is faster than its consumers is slowed down to their pace, so that memory follows
// the two bounds of the pool and not the number of jobs. Who must not wait asks, and drops or
// answers "busy" instead.
//
// Ctrl-C ends it early, in order: what runs is asked to stop, what is queued never starts.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"

using namespace std::chrono_literals;

weir::task<> handle_request(int number) { co_await weir::sleep_for(1ms + number % 3 * 1us); }

// Waits with every job that finds the queue full.
weir::task<> produce(weir::pool& pool, int requests) {
    for (int number = 0; number < requests; ++number) {
        co_await pool.post(handle_request, number);
    }
    const weir::pool_stats stats = pool.stats();
    std::printf("waiting:  %d requests sent, at most %zu ran and %zu were queued\n", requests,
                stats.max_running, stats.max_queued);
}

// Never waits: a full pool refuses at once, and the job was not touched.
weir::task<> shed(weir::pool& pool, int requests) {
    int refused = 0;
    for (int number = 0; number < requests; ++number) {
        if (auto accepted = pool.try_submit(handle_request, number)) {
            accepted->detach();
        } else {
            ++refused;  // accepted.error() is full, or closed
        }
    }
    std::printf("shedding: %d requests, %d refused\n", requests, refused);
    co_return;
}

weir::task<> main_task(int requests) {
    weir::pool_options limits;
    limits.max_concurrency = 50;
    limits.max_queue_size = 100;
    co_await weir::with_pool(limits, produce, requests);
    co_await weir::with_pool(limits, shed, 1'000);
}

int main(int argc, char** argv) {
    std::uint64_t requests = 5'000;
    example::command_line line("backpressure", "A fast producer of slow jobs.");
    line.number("--requests", requests, 1, 1'000'000'000, "to send");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("backpressure", main_task(static_cast<int>(requests)));
}
