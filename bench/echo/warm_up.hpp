// When a load has warmed a server up.
#pragma once

#include <cstdint>

#include "generator.hpp"

namespace echo {

// After `for_ns` of the load: its planned warm-up is over, and in the closed loop every connection
// has gone round a few times, so that what a server does once (growing, touching memory) lies
// behind it; for that it waits a quarter of a second at most.
[[nodiscard]] inline bool is_warm(const load_plan& plan, const shape& of, std::uint64_t messages,
                                  std::uint64_t for_ns) noexcept {
    constexpr std::uint64_t rounds = 8;
    constexpr std::uint64_t longest_ns = 250'000'000;
    const auto planned = static_cast<std::uint64_t>(plan.warm_up.count());
    const bool went_round = plan.rate > 0 || messages >= rounds * of.connections * of.depth;
    return for_ns >= planned && (went_round || for_ns >= planned + longest_ns);
}

}  // namespace echo
