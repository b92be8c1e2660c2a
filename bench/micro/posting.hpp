// How posting is measured, the same in every library. A `Target` runs, on a thread of its own, what
// post(function) gave it, in order; its destructor ends that thread.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "median.hpp"

constexpr std::int64_t posts_a_burst = 1'000;

// Counts what was run; written by the target's thread.
class post_counter {
  public:
    void add() noexcept {
        count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    void wait_for(std::int64_t count) const {
        while (count_.load(std::memory_order_acquire) < count) {
            std::this_thread::yield();
        }
    }

  private:
    std::atomic<std::int64_t> count_{0};
};

// The time is that of one post, on the poster's side, in the median burst.
template <class Target>
void post_burst(benchmark::State& state) {
    constexpr int bursts = 1'000;
    for ([[maybe_unused]] auto round : state) {
        post_counter ran;
        Target target;
        std::vector<double> lengths;
        lengths.reserve(bursts);
        for (std::int64_t burst = 1; burst <= bursts; ++burst) {
            const auto start = std::chrono::steady_clock::now();
            for (std::int64_t index = 0; index < posts_a_burst; ++index) {
                target.post([&ran] { ran.add(); });
            }
            const std::chrono::duration<double> length = std::chrono::steady_clock::now() - start;
            lengths.push_back(length.count() / static_cast<double>(posts_a_burst));
            ran.wait_for(burst * posts_a_burst);
        }
        state.SetIterationTime(median(lengths));
    }
}
#define POST_BURST_OPTIONS ->UseManualTime()->Iterations(1)

// One iteration is one post; the last ones are waited for. What is on its way is bounded as in a
// loop's inbox.
template <class Target>
void post_stream(benchmark::State& state) {
    constexpr std::int64_t on_their_way_max = 32'768;
    post_counter ran;
    Target target;
    std::int64_t posted = 0;
    while (state.KeepRunningBatch(posts_a_burst)) {
        for (std::int64_t index = 0; index < posts_a_burst; ++index) {
            target.post([&ran] { ran.add(); });
        }
        posted += posts_a_burst;
        ran.wait_for(posted - on_their_way_max);
    }
    ran.wait_for(posted);
}
