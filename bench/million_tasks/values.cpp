#include "values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "options.hpp"

namespace million_tasks {
namespace {

constexpr std::string_view duration_rule = "0s..24h as a number and a unit: ns, us, ms, s or m";

std::optional<double> nanoseconds_in(std::string_view unit) {
    constexpr std::array<std::pair<std::string_view, double>, 5> units = {
        {{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}}};
    const auto* const found =
        std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
    return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::chrono::nanoseconds> duration_of(std::string_view text) {
    if (text == "0") {
        return std::chrono::nanoseconds{0};
    }
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto unit = nanoseconds_in(text.substr(digits));
    const auto number = bench::number_in<double>(text.substr(0, digits));
    if (!unit || !number) {
        return std::nullopt;
    }
    const double total = std::round(*number * *unit);
    if (total > static_cast<double>(sleep_max.count())) {
        return std::nullopt;
    }
    return std::chrono::nanoseconds{static_cast<std::int64_t>(total)};
}

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view option, std::string_view value) {
    const auto duration = duration_of(value);
    if (!duration) {
        throw option_error(option, value, duration_rule);
    }
    return *duration;
}

straggler_value parse_straggler(std::string_view option, std::string_view value) {
    const std::size_t colon = value.find(':');
    const auto duration = duration_of(value.substr(0, colon));
    const std::string_view tail = colon == std::string_view::npos ? "" : value.substr(colon + 1);
    const std::uint64_t every = bench::number_in<std::uint64_t>(tail).value_or(0);
    if (!duration || duration->count() == 0 || every < 1 || every > tasks_max) {
        throw option_error(option, value,
                           "DURATION:EVERY such as 1s:1000; DURATION over 0s and up to 24h with "
                           "a unit (ns, us, ms, s, m), EVERY " +
                               bench::range_text(1, tasks_max));
    }
    return {*duration, every};
}

std::string duration_text(std::chrono::nanoseconds duration) {
    constexpr std::array<std::pair<std::int64_t, const char*>, 4> units = {
        {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}}};
    for (const auto& [size, name] : units) {
        if (duration.count() % size == 0) {
            return std::to_string(duration.count() / size) + name;
        }
    }
    std::unreachable();
}

}  // namespace million_tasks
