#include "meter.hpp"

#include "../support/bench_error.hpp"
#include "../support/clocks.hpp"

namespace resp {
namespace {

constexpr std::size_t samples_max = 1'000'000;

double quantile_us(bench::samples& of, double share) {
    return of.empty() ? 0 : of.quantile_us(share);
}

}  // namespace

meter::meter(std::chrono::nanoseconds warm_up, std::chrono::nanoseconds window)
    : now_(bench::clock_ns(CLOCK_MONOTONIC)),
      warm_up_ns_(static_cast<std::uint64_t>(warm_up.count())),
      window_ns_(static_cast<std::uint64_t>(window.count())),
      next_(now_ + warm_up_ns_),
      samples_(samples_max) {
    samples_.reserve();
}

bool meter::tick() {
    now_ = bench::clock_ns(CLOCK_MONOTONIC);
    if (now_ < next_) {
        return true;
    }
    if (phase_ == phase::warming) {
        phase_ = phase::measuring;
        replies_ = 0;
        samples_.clear();
        cpu_began_ = bench::clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        began_ = now_ = bench::clock_ns(CLOCK_MONOTONIC);
        next_ = now_ + window_ns_;
        return true;
    }
    if (phase_ == phase::measuring) {
        phase_ = phase::over;
        cpu_ns_ = bench::clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_;
        wall_ns_ = now_ - began_;
    }
    return false;
}

void meter::sample(std::uint64_t began) {
    // What began before the window is not measured.
    if (phase_ != phase::warming && began >= began_) {
        samples_.add(now_ - began);
    }
}

figures meter::result() {
    if (replies_ == 0 || wall_ns_ == 0) {
        throw bench::bench_error("nothing was answered within the window");
    }
    const auto replies = static_cast<double>(replies_);
    return {.ops_per_s = replies * 1e9 / static_cast<double>(wall_ns_),
            .cpu_ns = static_cast<double>(cpu_ns_) / replies,
            .p50_us = quantile_us(samples_, 0.5),
            .p99_us = quantile_us(samples_, 0.99)};
}

}  // namespace resp
