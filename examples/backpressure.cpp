// A producer that is faster than its consumers is slowed down to their pace, so that memory follows
// the two bounds of the pool and not the number of jobs. Who must not wait asks, and drops or
// answers "busy" instead.
//
// Ctrl-C ends it early, in order: what runs is asked to stop, what is queued never starts.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

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
    const int requests = argc > 1 ? std::atoi(argv[1]) : 5'000;
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    try {
        weir::run(main_task(requests), options);
    } catch (const weir::canceled&) {
        std::puts("stopped");
    }
}
