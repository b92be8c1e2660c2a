#include "duration_text.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace weir::redisq::detail {
namespace {

struct unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// From the largest.
constexpr std::array units = {
    unit{"d", 86'400'000'000'000}, unit{"h", 3'600'000'000'000}, unit{"m", 60'000'000'000},
    unit{"s", 1'000'000'000},      unit{"ms", 1'000'000},        unit{"us", 1'000},
};

}  // namespace

std::optional<duration> parse_duration(std::string_view text) noexcept {
    static constexpr std::size_t digits_max = 18;
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto digits = static_cast<std::size_t>(read.ptr - text.data());
    if (read.ec != std::errc() || digits > digits_max) {
        return std::nullopt;
    }
    for (const unit& known : units) {
        std::int64_t length = 0;
        if (known.name == text.substr(digits) &&
            !__builtin_mul_overflow(static_cast<std::int64_t>(number), known.nanoseconds,
                                    &length)) {
            return duration(length);
        }
    }
    return std::nullopt;
}

std::string duration_text(duration length) {
    for (const unit& known : units) {
        if (length.count() != 0 && length.count() % known.nanoseconds == 0) {
            return std::to_string(length.count() / known.nanoseconds) + std::string(known.name);
        }
    }
    return length.count() == 0 ? "0s" : std::to_string(length.count()) + "ns";
}

}  // namespace weir::redisq::detail
