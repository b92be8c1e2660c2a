// Values as people write and read them: whole numbers, fractions, sizes.
//
// The parsers throw option_error, whose text names the option, the value and what is allowed.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace bench {

class option_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
    option_error(std::string_view option, std::string_view value, std::string_view allowed);
};

// The number that the whole text says.
template <class Number>
[[nodiscard]] std::optional<Number> number_in(std::string_view text) {
    Number number = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    return rest == end && error == std::errc{} ? std::optional(number) : std::nullopt;
}

// "1..1000"
[[nodiscard]] std::string range_text(std::uint64_t low, std::uint64_t high);

// A whole number within [low, high], digits only.
[[nodiscard]] std::uint64_t parse_count(std::string_view option, std::string_view value,
                                        std::uint64_t low, std::uint64_t high);

// 1234567 -> "1,234,567"
[[nodiscard]] std::string with_separators(std::uint64_t number);
// "5.3 MiB", "1,464 MiB"
[[nodiscard]] std::string mebibytes_text(std::uint64_t bytes);
// Three significant digits and a scale: "14.2 M", "55.1 k", "7.25".
[[nodiscard]] std::string short_number(double number);
// "%.*f", without the cost of streams.
[[nodiscard]] std::string fixed(double number, int decimals);
// A line of a table, of up to 255 bytes, as snprintf(3) makes it.
template <class... Values>
[[nodiscard]] std::string formatted(const char* format, const Values&... values) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), format, values...);
    return line.data();
}

}  // namespace bench
