// Lengths of time as people write them: "250ms", "5s", "2m", "1h".
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../../runtime/clock.hpp"

namespace weir::redisq::detail {

// For error texts.
inline constexpr std::string_view duration_text_allowed =
    "a number and a unit, as in 250ms, 5s, 2m, 1h or 7d";

// A whole number of 1 to 18 digits and one of the units us, ms, s, m, h, d, without a blank;
// nothing where the text is another, or the length beyond 292 years.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text) noexcept;

// In the largest unit that divides it: "1500ms", "5s", "0s".
[[nodiscard]] std::string duration_text(duration length);

}  // namespace weir::redisq::detail
