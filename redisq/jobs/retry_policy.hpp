// retry_policy: whether a job that failed is tried again, and when.
//
//     const auto gentle = weir::redisq::retry_policy::exponential(1s, 10min, 8);
//     const auto steady = weir::redisq::retry_policy::fixed(5s, 3);
//     const auto never = weir::redisq::retry_policy::none();
//
// `attempts` counts all runs, the first included. Exponential delays have full jitter: anything up
// to a ceiling that doubles with each attempt, so that jobs which failed together do not come back
// together. A policy of one's own is a function of the failure.
//
// Thread: any; a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>

#include "../../runtime/clock.hpp"

namespace weir::redisq {

struct failed_attempt {
    std::uint32_t attempt = 1;  // which run it was, from 1
    std::exception_ptr error;
    std::uint64_t random = 0;  // 64 random bits
};

class retry_policy {
  public:
    using function = std::function<std::optional<duration>(const failed_attempt&)>;

    // exponential(1s, 5min, 10)
    retry_policy();

    // Gives up at once.
    [[nodiscard]] static retry_policy none();
    // Throw std::invalid_argument: a delay below zero or beyond 365 days, attempts of 0 or beyond
    // 1,000,000, a ceiling below the base.
    [[nodiscard]] static retry_policy fixed(duration delay, std::uint32_t attempts);
    [[nodiscard]] static retry_policy exponential(duration base, duration ceiling,
                                                  std::uint32_t attempts);
    // What `decide` gives; nothing: the job is given up. It must not throw; where it does, the job
    // is given up too.
    [[nodiscard]] static retry_policy custom(function decide);

    // How long to wait before the next attempt; nothing: the job goes to the dead.
    [[nodiscard]] std::optional<duration> delay(const failed_attempt& failure) const;

  private:
    retry_policy(duration base, duration ceiling, std::uint32_t attempts);

    duration base_ = std::chrono::seconds(1);
    duration ceiling_ = std::chrono::minutes(5);  // equal to base_: fixed
    std::uint32_t attempts_ = 10;
    bool jitter_ = true;
    function decide_;
};

}  // namespace weir::redisq
