// Values as people write and read them: whole numbers, durations, sizes.
//
// The parsers throw option_error, whose text names the option, the value and what is allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace million_tasks {

class option_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
    option_error(std::string_view option, std::string_view value, std::string_view allowed);
};

// A whole number within [low, high], digits only.
[[nodiscard]] std::uint64_t parse_count(std::string_view option, std::string_view value,
                                        std::uint64_t low, std::uint64_t high);

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

// 1234567 -> "1,234,567"
[[nodiscard]] std::string with_separators(std::uint64_t number);
// In the largest unit that keeps it exact, as parse_duration reads it: "10ms", "1500us", "0s".
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds duration);
// "5.3 MiB", "1,464 MiB"
[[nodiscard]] std::string mebibytes_text(std::uint64_t bytes);
// Three significant digits and a scale: "14.2 M", "55.1 k", "7.25".
[[nodiscard]] std::string short_number(double number);
// "%.*f", without the cost of streams.
[[nodiscard]] std::string fixed(double number, int decimals);

}  // namespace million_tasks
