#include "values.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace bench {

std::string range_text(std::uint64_t low, std::uint64_t high) {
    return std::to_string(low) + ".." + std::to_string(high);
}

option_error::option_error(std::string_view option, std::string_view value,
                           std::string_view allowed)
    : std::runtime_error(std::string(option) + ": '" + std::string(value) +
                         "' is not allowed; allowed: " + std::string(allowed)) {}

std::uint64_t parse_count(std::string_view option, std::string_view value, std::uint64_t low,
                          std::uint64_t high) {
    const auto number = number_in<std::uint64_t>(value);
    if (!number || *number < low || *number > high) {
        throw option_error(option, value, range_text(low, high));
    }
    return *number;
}

std::string with_separators(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t from_end = 3; from_end < text.size(); from_end += 4) {
        text.insert(text.size() - from_end, 1, ',');
    }
    return text;
}

std::string mebibytes_text(std::uint64_t bytes) {
    const double size = static_cast<double>(bytes) / 1048576.0;
    return (size < 99.95 ? fixed(size, 1)
                         : with_separators(static_cast<std::uint64_t>(std::llround(size)))) +
           " MiB";
}

std::string short_number(double number) {
    constexpr std::array<std::pair<double, const char*>, 3> scales = {
        {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}}};
    double scaled = number;
    const char* suffix = "";
    for (const auto& [scale, name] : scales) {
        if (number >= scale) {
            scaled = number / scale;
            suffix = name;
            break;
        }
    }
    return fixed(scaled, scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0) + suffix;
}

std::string fixed(double number, int decimals) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, number);
    return buffer.data();
}

}  // namespace bench
