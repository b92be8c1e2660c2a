// Functions posted by a thread to a loop that is busy: what a post costs the poster (bursts of
// 1,000, with the time in between left out), and how many a second get through (stream).
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/yield.hpp>

#include "posting.hpp"

namespace {

weir::task<> yield_until_stopped(const std::atomic<bool>* stop) {
    while (!stop->load(std::memory_order_relaxed)) {
        co_await weir::yield();
    }
}

// A loop that never sleeps, on a thread of its own.
class busy_loop {
  public:
    busy_loop() : thread_([this] { loop_.run(yield_until_stopped(&stop_)); }) {}
    busy_loop(const busy_loop&) = delete;
    busy_loop& operator=(const busy_loop&) = delete;
    ~busy_loop() { stop_.store(true, std::memory_order_relaxed); }

    template <class F>
    void post(F function) {
        loop_.post(function);
    }

  private:
    weir::event_loop loop_;
    std::atomic<bool> stop_{false};
    std::jthread thread_;
};

// A consumer that runs what it finds and does nothing else.
template <class Inbox>
class bare_consumer {
  public:
    bare_consumer()
        : thread_([this] {
              while (!stop_.load(std::memory_order_relaxed)) {
                  inbox_.drain();
              }
          }) {}
    bare_consumer(const bare_consumer&) = delete;
    bare_consumer& operator=(const bare_consumer&) = delete;
    ~bare_consumer() { stop_.store(true, std::memory_order_relaxed); }

    template <class F>
    void post(F function) {
        inbox_.push(std::move_only_function<void()>(function));
    }

  private:
    Inbox inbox_;
    std::atomic<bool> stop_{false};
    std::jthread thread_;
};

class mutex_and_vector {
  public:
    void push(std::move_only_function<void()> function) {
        const std::scoped_lock lock(mutex_);
        posted_.push_back(std::move(function));
        nonempty_.store(true, std::memory_order_relaxed);
    }
    void drain() {
        if (!nonempty_.load(std::memory_order_relaxed)) {
            return;  // leaves the mutex to the posters
        }
        {
            const std::scoped_lock lock(mutex_);
            draining_.swap(posted_);
            nonempty_.store(false, std::memory_order_relaxed);
        }
        for (auto& function : draining_) {
            function();
        }
        draining_.clear();
    }

  private:
    std::mutex mutex_;
    std::atomic<bool> nonempty_{false};
    std::vector<std::move_only_function<void()>> posted_;
    std::vector<std::move_only_function<void()>> draining_;
};

class lock_free_stack {
  public:
    void push(std::move_only_function<void()> function) {
        auto* const added = new node{std::move(function), top_.load(std::memory_order_relaxed)};
        // Pairs with the acquire in drain().
        while (!top_.compare_exchange_weak(added->below, added, std::memory_order_release,
                                           std::memory_order_relaxed)) {
        }
    }
    void drain() {
        node* first = nullptr;
        if (top_.load(std::memory_order_relaxed) == nullptr) {
            return;
        }
        node* next = top_.exchange(nullptr, std::memory_order_acquire);
        while (next != nullptr) {  // oldest first
            node* const below = next->below;
            next->below = first;
            first = next;
            next = below;
        }
        while (first != nullptr) {
            first->function();
            delete std::exchange(first, first->below);
        }
    }

  private:
    struct node {
        std::move_only_function<void()> function;
        node* below;
    };
    std::atomic<node*> top_{nullptr};
};

BENCHMARK(post_burst<busy_loop>)->Name("weir/post_burst") POST_BURST_OPTIONS;
BENCHMARK(post_burst<bare_consumer<mutex_and_vector>>)->Name("floor/post_burst") POST_BURST_OPTIONS;
BENCHMARK(post_burst<bare_consumer<lock_free_stack>>)->Name("stack/post_burst") POST_BURST_OPTIONS;
BENCHMARK(post_stream<busy_loop>)->Name("weir/post_stream")->UseRealTime();
BENCHMARK(post_stream<bare_consumer<mutex_and_vector>>)->Name("floor/post_stream")->UseRealTime();
BENCHMARK(post_stream<bare_consumer<lock_free_stack>>)->Name("stack/post_stream")->UseRealTime();

int one() { return 1; }

weir::task<> submit_futures(weir::pool& pool, benchmark::State* state, std::atomic<bool>* done) {
    // The submitting thread; the loop goes on here meanwhile.
    const std::jthread submitter([&pool, state, done] {
        std::vector<std::future<int>> results(posts_a_burst);
        while (state->KeepRunningBatch(posts_a_burst)) {
            for (auto& result : results) {
                result = pool.submit_from_thread(one);
            }
            for (auto& result : results) {
                benchmark::DoNotOptimize(result.get());
            }
        }
        done->store(true, std::memory_order_relaxed);
    });
    co_await yield_until_stopped(done);
}

void submit_from_thread(benchmark::State& state) {
    std::atomic<bool> done{false};
    weir::event_loop loop;
    loop.run(weir::with_pool(weir::pool_options(), submit_futures, &state, &done));
}
BENCHMARK(submit_from_thread)->Name("weir/submit_from_thread")->UseRealTime();

}  // namespace
