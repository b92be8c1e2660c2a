// Threads that know nothing of coroutines hand work to a loop: submit_from_thread gives a
// std::future and waits while too many jobs are on their way; post runs a function on the loop.
#include <cstdio>
#include <future>
#include <numeric>
#include <stop_token>
#include <thread>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

constexpr int threads = 3;
constexpr int jobs_per_thread = 1'000;

weir::task<int> twice(int number) {
    co_await weir::yield();
    co_return 2 * number;
}

// What an ordinary thread does; `finished` is told on the loop, where tools may be touched.
void submit_many(weir::event_loop* loop, weir::pool* pool, weir::latch* finished) {
    std::vector<std::future<int>> results;
    results.reserve(jobs_per_thread);
    for (int number = 0; number < jobs_per_thread; ++number) {
        results.push_back(pool->submit_from_thread(twice, number));
    }
    const int sum = std::accumulate(results.begin(), results.end(), 0,
                                    [](int before, auto& result) { return before + result.get(); });
    std::printf("a thread has its %d results; their sum is %d\n", jobs_per_thread, sum);
    loop->post([finished] { finished->count_down(); });
}

weir::task<> serve_threads(weir::pool& pool) {
    weir::latch finished(threads);
    std::vector<std::jthread> started;
    for (int thread = 0; thread < threads; ++thread) {
        started.emplace_back(submit_many, weir::event_loop::current(), &pool, &finished);
    }
    co_await finished.wait();  // the loop runs their jobs meanwhile
}

weir::task<> main_task() {
    weir::pool_options limits;
    limits.max_concurrency = 10;
    limits.max_queue_size = 100;
    co_await weir::with_pool(limits, serve_threads);
}

int main() { weir::run(main_task()); }
