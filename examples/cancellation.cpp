// Stopping is a request that reaches the await in which a task is suspended; the task ends there by
// weir::canceled, its destructors run, and whoever asked waits until it has ended.
#include <chrono>
#include <cstdio>
#include <stop_token>
#include <thread>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

struct connection {
    explicit connection(const char* name) : name_(name) {}
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { std::printf("  %s is closed\n", name_); }

  private:
    const char* name_;
};

weir::task<> poll_for_ever(const char* name) {
    const connection open(name);
    while (true) {
        co_await weir::sleep_for(1ms);
    }
}

weir::task<> stop_soon(weir::stop_source* source) {
    co_await weir::sleep_for(5ms);
    source->request_stop();
}

// 1. By hand, from another task of the loop.
weir::task<> by_source() {
    weir::stop_source source;
    weir::scope s;
    s.spawn(stop_soon, &source);
    try {
        co_await weir::with_stop(source, poll_for_ever("the one with a stop_source"));
    } catch (const weir::canceled&) {
        std::puts("stopped by its source");
    }
    co_await s.join();
}

// 2. From any thread, by a std::stop_token.
weir::task<> by_token() {
    std::stop_source source;
    const std::jthread stopper([source]() mutable {
        std::this_thread::sleep_for(5ms);
        source.request_stop();
    });
    try {
        co_await weir::with_stop(source.get_token(), poll_for_ever("the one with a stop_token"));
    } catch (const weir::canceled&) {
        std::puts("stopped by another thread");
    }
}

// 3. By a job's handle: a queued job never starts, a running one is asked to stop.
weir::task<> by_handle(weir::pool& pool) {
    auto running = co_await pool.submit(poll_for_ever, "the running job");
    auto queued = co_await pool.submit(poll_for_ever, "the queued job");
    queued.cancel();
    running.cancel();
    for (auto* handle : {&running, &queued}) {
        try {
            co_await handle->join();
        } catch (const weir::canceled&) {
            std::puts("stopped by its handle");
        }
    }
}

// 4. By a timeout. A stop reaches awaits only: a long computation needs one now and then.
weir::task<int> compute(int rounds) {
    int sum = 0;
    for (int round = 0; round < rounds; ++round) {
        sum += round % 7;
        if (round % 1'000 == 0) {
            co_await weir::yield();  // throws weir::canceled when it is stopped
        }
    }
    co_return sum;
}

weir::task<> main_task() {
    co_await by_source();
    co_await by_token();
    weir::pool_options one_slot;
    one_slot.max_concurrency = 1;
    co_await weir::with_pool(one_slot, by_handle);
    try {
        const int sum = co_await weir::with_timeout(10ms, compute(1'000'000'000));
        std::printf("computed %d\n", sum);
    } catch (const weir::timed_out&) {
        std::puts("computed for 10 ms");
    }
}

int main() { weir::run(main_task()); }
