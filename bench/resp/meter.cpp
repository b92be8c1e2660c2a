#include "meter.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

#include "bench_error.hpp"

namespace resp {
namespace {

constexpr std::size_t samples_max = 1'000'000;

std::uint64_t clock_ns(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

double quantile_us(std::vector<std::uint32_t>& samples, double share) {
    if (samples.empty()) {
        return 0;
    }
    const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
    const auto at = samples.begin() + static_cast<std::ptrdiff_t>(index);
    std::ranges::nth_element(samples, at);
    return static_cast<double>(*at) / 1e3;
}

}  // namespace

meter::meter(std::chrono::nanoseconds warm_up, std::chrono::nanoseconds window)
    : now_(clock_ns(CLOCK_MONOTONIC)),
      warm_up_ns_(static_cast<std::uint64_t>(warm_up.count())),
      window_ns_(static_cast<std::uint64_t>(window.count())),
      next_(now_ + warm_up_ns_) {
    samples_.reserve(samples_max);
}

bool meter::tick() {
    now_ = clock_ns(CLOCK_MONOTONIC);
    if (now_ < next_) {
        return true;
    }
    if (phase_ == phase::warming) {
        phase_ = phase::measuring;
        replies_ = 0;
        samples_.clear();
        cpu_began_ = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        began_ = now_ = clock_ns(CLOCK_MONOTONIC);
        next_ = now_ + window_ns_;
        return true;
    }
    if (phase_ == phase::measuring) {
        phase_ = phase::over;
        cpu_ns_ = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_;
        wall_ns_ = now_ - began_;
    }
    return false;
}

void meter::sample(std::uint64_t began) {
    // What began before the window is not measured.
    if (phase_ == phase::warming || began < began_ || samples_.size() == samples_max) {
        return;
    }
    const std::uint64_t took = now_ - began;
    samples_.push_back(static_cast<std::uint32_t>(
        std::min<std::uint64_t>(took, std::numeric_limits<std::uint32_t>::max())));
}

figures meter::result() {
    if (replies_ == 0 || wall_ns_ == 0) {
        throw bench_error("nothing was answered within the window");
    }
    const auto replies = static_cast<double>(replies_);
    return {.ops_per_s = replies * 1e9 / static_cast<double>(wall_ns_),
            .cpu_ns = static_cast<double>(cpu_ns_) / replies,
            .p50_us = quantile_us(samples_, 0.5),
            .p99_us = quantile_us(samples_, 0.99)};
}

}  // namespace resp
