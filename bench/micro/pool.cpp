// The pool: 1,000 jobs at a time, 10,000 in the queue. A job that `yields` gives up its slot's turn
// once, so that the queue fills; the others end at once.
#include <benchmark/benchmark.h>

#include <coroutine>
#include <cstddef>
#include <ranges>
#include <utility>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/yield.hpp>

#include "bare.hpp"

namespace {

constexpr int batch = 1'000;  // operations between two looks at whether the time is up
constexpr std::size_t slots = 1'000;
constexpr std::size_t places = 10'000;

weir::pool_options limits() {
    weir::pool_options options;
    options.max_concurrency = slots;
    options.max_queue_size = places;
    return options;
}

using pool_user = weir::task<> (*)(weir::pool&, benchmark::State*);

template <pool_user User>
void with_pool(benchmark::State& state) {
    weir::run(weir::with_pool(limits(), User, &state));
}

[[gnu::noinline]] weir::task<int> job(int value) { co_return value + 1; }
weir::task<int> yielding_job(int value) {
    co_await weir::yield();
    co_return value + 1;
}

template <weir::task<int> (*Job)(int)>
weir::task<> post_all(weir::pool& pool, benchmark::State* state) {
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            co_await pool.post(Job, index);
        }
    }
}
BENCHMARK(with_pool<post_all<job>>)->Name("weir/pool_post");
BENCHMARK(with_pool<post_all<yielding_job>>)->Name("weir/pool_post_yielding");

// A thousand handles, then their thousand values.
template <weir::task<int> (*Job)(int)>
weir::task<> submit_all(weir::pool& pool, benchmark::State* state) {
    std::vector<weir::join_handle<int>> handles;
    handles.reserve(batch);
    long sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            handles.push_back(co_await pool.submit(Job, index));
        }
        for (auto& handle : handles) {
            sum += co_await handle.join();
        }
        handles.clear();
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(with_pool<submit_all<job>>)->Name("weir/pool_submit_join");
BENCHMARK(with_pool<submit_all<yielding_job>>)->Name("weir/pool_submit_join_yielding");

weir::task<> run_all(weir::pool& pool, benchmark::State* state) {
    long sum = 0;
    while (state->KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            sum += co_await pool.run(job, index);
        }
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(with_pool<run_all>)->Name("weir/pool_run");

weir::task<> run_batches(weir::pool& pool, benchmark::State* state) {
    long sum = 0;
    while (state->KeepRunningBatch(batch)) {
        const std::vector<int> values = co_await pool.batch_run(job, std::views::iota(0, batch));
        sum += values.back();
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(with_pool<run_batches>)->Name("weir/pool_batch_run");

// One job of the pool that runs others in it.
weir::task<> run_nested(weir::pool& pool, benchmark::State* state) {
    co_await pool.run(run_all, std::ref(pool), state);
}
BENCHMARK(with_pool<run_nested>)->Name("weir/pool_nested_run");

// Floors: a ring of integers, a counted set of slots, and a bare coroutine for each job.
using frame = std::coroutine_handle<bare::task<bare::recycled>::promise_type>;

[[gnu::noinline]] bare::task<bare::recycled> bare_job(int value) { co_return value + 1; }
bare::task<bare::recycled> bare_yielding_job(int value, bare::ready_list* ready) {
    co_await ready->yield();
    co_return value + 1;
}

class int_ring {
  public:
    int_ring() : places_(std::size_t{1} << 14) {}
    [[nodiscard]] bool full() const noexcept { return last_ - first_ == places; }
    [[nodiscard]] bool empty() const noexcept { return last_ == first_; }
    void push(int value) noexcept { places_[last_++ & mask] = value; }
    int pop() noexcept { return places_[first_++ & mask]; }

  private:
    static constexpr std::size_t mask = (std::size_t{1} << 14) - 1;
    std::vector<int> places_;
    std::size_t first_ = 0;
    std::size_t last_ = 0;
};

// Each number goes through the ring, and a coroutine of its own.
void bare_pool_post(benchmark::State& state) {
    int_ring queue;
    long sum = 0;
    while (state.KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            queue.push(index);
            const auto one = bare_job(queue.pop());
            one.handle().resume();
            sum += one.handle().promise().value;
        }
    }
    benchmark::DoNotOptimize(sum);
}
BENCHMARK(bare_pool_post)->Name("floor/pool_post");

// Starts what slots allow, lets all of them run on once, and destroys them.
class bare_pool {
  public:
    void post(int value) {
        while (queue_.full()) {
            turn();
        }
        queue_.push(value);
    }
    void drain() {
        while (!queue_.empty()) {
            turn();
        }
        benchmark::DoNotOptimize(sum_);
    }

  private:
    void turn() {
        while (running_.size() < slots && !queue_.empty()) {
            running_.push_back(bare_yielding_job(queue_.pop(), &ready_).release());
            running_.back().resume();
        }
        ready_.run();
        for (const frame ended : running_) {
            sum_ += ended.promise().value;
            ended.destroy();
        }
        running_.clear();
    }

    int_ring queue_;
    bare::ready_list ready_;
    std::vector<frame> running_;
    long sum_ = 0;
};

void bare_pool_post_yielding(benchmark::State& state) {
    bare_pool pool;
    while (state.KeepRunningBatch(batch)) {
        for (int index = 0; index < batch; ++index) {
            pool.post(index);
        }
    }
    pool.drain();
}
BENCHMARK(bare_pool_post_yielding)->Name("floor/pool_post_yielding");

}  // namespace
