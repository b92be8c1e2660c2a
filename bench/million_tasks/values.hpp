// Values as people write and read them: durations, beside the numbers of bench/support.
//
// The parsers throw option_error, whose text names the option, the value and what is allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "../support/values.hpp"

namespace million_tasks {

using bench::fixed;
using bench::mebibytes_text;
using bench::option_error;
using bench::parse_count;
using bench::short_number;
using bench::with_separators;

// A number, with or without a fraction, and a unit: ns, us, ms, s or m. A bare `0` is taken too.
// The result lies within [0, sleep_max].
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view option,
                                                      std::string_view value);

// DURATION:EVERY, for instance 1s:1000.
struct straggler_value {
    std::chrono::nanoseconds duration;
    std::uint64_t every;
};
[[nodiscard]] straggler_value parse_straggler(std::string_view option, std::string_view value);

// In the largest unit that keeps it exact, as parse_duration reads it: "10ms", "1500us", "0s".
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace million_tasks
