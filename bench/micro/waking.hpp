// How waking is measured, the same in every library. A `Sleeper` has a thread that sleeps; wake()
// makes it signal woken() once, and returns whether it could.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "median.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Counts signals of one thread to another, which spins, so that its own waking costs nothing.
class signal_flag {
  public:
    void signal() noexcept { count_.fetch_add(1, std::memory_order_release); }
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_acquire);
    }
    void wait(std::uint64_t count = 1) const noexcept {
        for (int turn = 0; this->count() < count; ++turn) {
#if defined(__x86_64__)
            _mm_pause();
#endif
            if (turn > 100'000) {
                std::this_thread::yield();
            }
        }
    }

  private:
    std::atomic<std::uint64_t> count_{0};
};

// The time is that of the median wake. Each is preceded by a pause, long enough for the other
// thread to fall asleep again.
template <class Sleeper>
void post_wake(benchmark::State& state) {
    using clock = std::chrono::steady_clock;
    using seconds = std::chrono::duration<double>;
    constexpr auto pause = std::chrono::microseconds(50);
    constexpr int wakes = 5'000;
    for ([[maybe_unused]] auto round : state) {
        Sleeper sleeper;
        std::vector<double> all;
        std::vector<double> wakers_share;
        for (int wake = 1; wake <= wakes; ++wake) {
            for (const auto until = clock::now() + pause; clock::now() < until;) {
            }
            const auto start = clock::now();
            if (!sleeper.wake()) {
                state.SkipWithError("this kernel does not support it");
                return;
            }
            wakers_share.push_back(seconds(clock::now() - start).count());
            sleeper.woken().wait(static_cast<std::uint64_t>(wake));
            all.push_back(seconds(clock::now() - start).count());
        }
        state.SetIterationTime(median(all));
        state.counters["waker_ns"] = median(wakers_share) * 1e9;
    }
}

#define WAKE_OPTIONS ->UseManualTime()->Iterations(1)
