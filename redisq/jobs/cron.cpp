#include "cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <stdexcept>
#include <vector>

namespace weir::redisq {
namespace {

constexpr std::int64_t minute_seconds = 60;
constexpr std::int64_t hour_seconds = 3600;
constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t days_searched = 8 * 366;

struct field_kind {
    const char* name;
    unsigned least;
    unsigned most;
    std::span<const std::string_view> names;  // from `least` on
};

constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};
constexpr std::array<field_kind, 5> kinds = {{
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day of the month", 1, 31, {}},
    {"month", 1, 12, month_names},
    {"day of the week", 0, 7, day_names},
}};

[[noreturn]] void refuse(const field_kind& kind, std::string_view text) {
    std::string message = "cron schedule: " + std::string(kind.name) + " is '" +
                          std::string(text.substr(0, 64)) + "'; allowed: *, " +
                          std::to_string(kind.least) + " to " + std::to_string(kind.most);
    if (!kind.names.empty()) {
        message += ", " + std::string(kind.names.front()) + " to " + std::string(kind.names.back());
    }
    throw std::invalid_argument(message + ", ranges a-b, steps /n and lists");
}

unsigned read_value(const field_kind& kind, std::string_view whole, std::string_view text) {
    const auto same = [text](std::string_view name) {
        return std::ranges::equal(name, text, [](char a, char b) { return a == (b | 0x20); });
    };
    const auto named = std::ranges::find_if(kind.names, same);
    if (named != kind.names.end()) {
        return kind.least + static_cast<unsigned>(named - kind.names.begin());
    }
    unsigned value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < kind.least ||
        value > kind.most) {
        refuse(kind, whole);
    }
    return value;
}

// One item of a list: value, range or '*', with or without a step.
template <std::size_t N>
void read_item(const field_kind& kind, std::string_view whole, std::string_view item,
               std::bitset<N>& out) {
    unsigned step = 1;
    const std::size_t slash = item.find('/');
    if (slash != std::string_view::npos) {
        const field_kind steps{kind.name, 1, kind.most + 1, {}};
        const std::string_view text = item.substr(slash + 1);
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), step);
        if (problem != std::errc{} || end != text.data() + text.size() || step < steps.least ||
            step > steps.most) {
            refuse(kind, whole);
        }
    }
    const std::string_view range = item.substr(0, slash);
    unsigned first = kind.least;
    unsigned last = kind.most;
    if (range != "*") {
        const std::size_t dash = range.find('-');
        first = read_value(kind, whole, range.substr(0, dash));
        if (dash != std::string_view::npos) {
            last = read_value(kind, whole, range.substr(dash + 1));
        } else if (slash == std::string_view::npos) {
            last = first;
        }
        if (last < first) {
            refuse(kind, whole);
        }
    }
    for (unsigned value = first; value <= last; value += step) {
        out.set(value);
    }
}

template <std::size_t N>
void read_field(const field_kind& kind, std::string_view text, std::bitset<N>& out) {
    std::string_view rest = text;
    for (;;) {
        const std::size_t comma = rest.find(',');
        read_item(kind, text, rest.substr(0, comma), out);
        if (comma == std::string_view::npos) {
            return;
        }
        rest.remove_prefix(comma + 1);
    }
}

std::string_view spelled_out(std::string_view text) {
    struct word {
        std::string_view name, fields;
    };
    constexpr std::array words = {
        word{"@hourly", "0 * * * *"},   word{"@daily", "0 0 * * *"},
        word{"@midnight", "0 0 * * *"}, word{"@weekly", "0 0 * * 0"},
        word{"@monthly", "0 0 1 * *"},  word{"@yearly", "0 0 1 1 *"},
        word{"@annually", "0 0 1 1 *"},
    };
    const auto* const found = std::ranges::find(words, text, &word::name);
    return found != words.end() ? found->fields : text;
}

std::vector<std::string_view> split_fields(std::string_view text) {
    std::vector<std::string_view> fields;
    while (true) {
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin == std::string_view::npos) {
            return fields;
        }
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        fields.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

cron_schedule::cron_schedule(std::string_view text, std::string_view zone)
    : cron_schedule(text, time_zone::named(zone)) {}

cron_schedule::cron_schedule(std::string_view text, time_zone zone)
    : text_(text), zone_(std::move(zone)) {
    const std::vector<std::string_view> fields = split_fields(spelled_out(text));
    if (fields.size() != kinds.size()) {
        throw std::invalid_argument("cron schedule '" + std::string(text.substr(0, 64)) + "' has " +
                                    std::to_string(fields.size()) +
                                    " fields; allowed: 5, or a word such as @daily");
    }
    read_field(kinds[0], fields[0], minutes_);
    read_field(kinds[1], fields[1], hours_);
    read_field(kinds[2], fields[2], days_);
    read_field(kinds[3], fields[3], months_);
    read_field(kinds[4], fields[4], weekdays_);
    if (weekdays_[7]) {
        weekdays_.set(0);
    }
    any_hour_ = fields[1].starts_with('*');
    any_day_ = fields[2].starts_with('*');
    any_weekday_ = fields[4].starts_with('*');
    if (!next(0)) {
        throw std::invalid_argument("cron schedule '" + text_ +
                                    "' never comes; allowed: days that a month has");
    }
}

bool cron_schedule::day_matches(std::int64_t local_day) const noexcept {
    using namespace std::chrono;
    const year_month_day date{sys_days(days(local_day))};
    if (!months_[static_cast<unsigned>(date.month())]) {
        return false;
    }
    const bool by_day = days_[static_cast<unsigned>(date.day())];
    const bool by_weekday = weekdays_[weekday(sys_days(days(local_day))).c_encoding()];
    if (any_day_ || any_weekday_) {
        return by_day && by_weekday;
    }
    return by_day || by_weekday;
}

std::optional<std::int64_t> cron_schedule::next(std::int64_t time) const {
    return any_hour_ ? next_by_real_time(time) : next_by_local_time(time);
}

std::optional<std::int64_t> cron_schedule::next_by_real_time(std::int64_t time) const noexcept {
    std::int64_t at = (floor_divide(time, minute_seconds) + 1) * minute_seconds;
    const std::int64_t end = at + days_searched * day_seconds;
    while (at < end) {
        const std::int64_t local = at + zone_.offset_at(at);
        const std::int64_t day = floor_divide(local, day_seconds);
        const std::int64_t second = local - day * day_seconds;
        const auto hour = static_cast<std::size_t>(second / hour_seconds);
        const auto minute = static_cast<std::size_t>(second % hour_seconds / minute_seconds);
        if (!day_matches(day)) {
            at += day_seconds - second;
        } else if (!hours_[hour]) {
            at += hour_seconds - second % hour_seconds;
        } else if (!minutes_[minute]) {
            at += minute_seconds;
        } else {
            return at;
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> cron_schedule::next_by_local_time(std::int64_t time) const noexcept {
    const std::int64_t first = floor_divide(time + zone_.offset_at(time), day_seconds) - 1;
    for (std::int64_t day = first; day < first + days_searched; ++day) {
        if (!day_matches(day)) {
            continue;
        }
        std::optional<std::int64_t> best;
        for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
            for (std::size_t minute = 0; hours_[hour] && minute < minutes_.size(); ++minute) {
                if (!minutes_[minute]) {
                    continue;
                }
                const std::int64_t at =
                    real_time(day * day_seconds + static_cast<std::int64_t>(hour) * hour_seconds +
                              static_cast<std::int64_t>(minute) * minute_seconds);
                if (at > time && (!best || at < *best)) {
                    best = at;
                }
            }
        }
        if (best) {
            return best;
        }
    }
    return std::nullopt;
}

std::int64_t cron_schedule::real_time(std::int64_t local) const noexcept {
    const int before = zone_.offset_at(local - day_seconds);
    const int after = zone_.offset_at(local + day_seconds);
    const std::int64_t first = local - before;
    if (before == after || zone_.offset_at(first) == before) {
        return first;
    }
    const std::int64_t second = local - after;
    return zone_.offset_at(second) == after ? second : first;
}

}  // namespace weir::redisq
