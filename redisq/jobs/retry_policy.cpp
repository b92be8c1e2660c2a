#include "retry_policy.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace weir::redisq {
namespace {

constexpr duration delay_max = std::chrono::days(365);
constexpr std::uint32_t attempts_max = 1'000'000;

void check_delay(const char* which, duration delay) {
    if (delay < duration::zero() || delay > delay_max) {
        throw std::invalid_argument(
            std::string("retry_policy: ") + which + " is " +
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(delay).count()) +
            "ms; allowed: 0 to 365 days");
    }
}

}  // namespace

retry_policy::retry_policy() = default;

retry_policy::retry_policy(duration base, duration ceiling, std::uint32_t attempts)
    : base_(base), ceiling_(ceiling), attempts_(attempts) {
    check_delay("the delay", base);
    check_delay("the ceiling", ceiling);
    if (ceiling < base) {
        throw std::invalid_argument(
            "retry_policy: the ceiling is below the first delay; allowed: "
            "the same or more");
    }
    if (attempts == 0 || attempts > attempts_max) {
        throw std::invalid_argument("retry_policy: attempts is " + std::to_string(attempts) +
                                    "; allowed: 1 to " + std::to_string(attempts_max));
    }
}

retry_policy retry_policy::none() { return {duration::zero(), duration::zero(), 1}; }

retry_policy retry_policy::fixed(duration delay, std::uint32_t attempts) {
    retry_policy made(delay, delay, attempts);
    made.jitter_ = false;
    return made;
}

retry_policy retry_policy::exponential(duration base, duration ceiling, std::uint32_t attempts) {
    return {base, ceiling, attempts};
}

retry_policy retry_policy::custom(function decide) {
    if (!decide) {
        throw std::invalid_argument("retry_policy: an empty function; allowed: a callable one");
    }
    retry_policy made;
    made.decide_ = std::move(decide);
    return made;
}

std::optional<duration> retry_policy::delay(const failed_attempt& failure) const {
    if (decide_) {
        try {
            std::optional<duration> chosen = decide_(failure);
            if (chosen) {
                chosen = std::clamp(*chosen, duration::zero(), delay_max);
            }
            return chosen;
        } catch (...) {
            return std::nullopt;
        }
    }
    if (failure.attempt >= attempts_) {
        return std::nullopt;
    }
    if (!jitter_) {
        return base_;
    }
    duration ceiling = base_;
    for (std::uint32_t i = 1; i < failure.attempt && ceiling < ceiling_; ++i) {
        ceiling = std::min(ceiling * 2, ceiling_);
    }
    // Uniform from 0 to the ceiling.
    const double share = static_cast<double>(failure.random >> 11U) * 0x1p-53;
    return duration(static_cast<duration::rep>(static_cast<double>(ceiling.count()) * share));
}

}  // namespace weir::redisq
