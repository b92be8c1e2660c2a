#include "time_zone.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace weir::redisq {
namespace {

constexpr std::int64_t day_seconds = 86'400;

[[noreturn]] void refuse(std::string_view name, const char* why) {
    throw std::invalid_argument("time zone '" + std::string(name.substr(0, 64)) + "' " + why);
}

bool is_zone_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name[0] != '/' &&
           name.find("..") == std::string_view::npos && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '/' || c == '_' || c == '-' || c == '+';
           });
}

// Big endian numbers of a file, from the front.
class zone_reader {
  public:
    zone_reader(std::string_view name, std::string_view bytes) : name_(name), rest_(bytes) {}

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            refuse(name_, "has a damaged file");
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::int64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (const char c : take(bytes)) {
            value = value << 8U | static_cast<unsigned char>(c);
        }
        return bytes == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
    }
    [[nodiscard]] std::string_view rest() const { return rest_; }

  private:
    std::string_view name_;
    std::string_view rest_;
};

struct zone_counts {
    std::size_t utc, standard, leaps, times, types, letters;
};

zone_counts read_counts(zone_reader& in, std::string_view name) {
    const std::string_view head = in.take(20);
    if (!head.starts_with("TZif") || head[4] < '2') {
        refuse(name, "has no file of version 2 or later");
    }
    zone_counts counts{};
    for (std::size_t* each : {&counts.utc, &counts.standard, &counts.leaps, &counts.times,
                              &counts.types, &counts.letters}) {
        const std::int64_t value = in.number(4);
        if (value < 0 || value > 100'000) {
            refuse(name, "has a damaged file");
        }
        *each = static_cast<std::size_t>(value);
    }
    return counts;
}

std::int64_t days_from_civil(std::int64_t year, int month, int day) {
    using namespace std::chrono;
    return sys_days(std::chrono::year(static_cast<int>(year)) / month / day)
        .time_since_epoch()
        .count();
}

}  // namespace

// The rule at the end of a file, as in TZ of POSIX: "CET-1CEST,M3.5.0,M10.5.0/3".
class time_zone::rule_reader {
  public:
    explicit rule_reader(std::string_view text) : rest_(text) {}

    std::optional<rules> read() {
        rules found;
        skip_name();
        found.standard = -clock_time();
        if (sound_ && !rest_.empty()) {
            found.has_summer = true;
            skip_name();
            found.summer = found.standard + 3600;
            if (!rest_.empty() && rest_[0] != ',') {
                found.summer = -clock_time();
            }
            found.to_summer = day();
            found.to_standard = day();
        }
        return sound_ && rest_.empty() ? std::optional(found) : std::nullopt;
    }

  private:
    bool skip(char wanted) {
        if (rest_.starts_with(wanted)) {
            rest_.remove_prefix(1);
            return true;
        }
        return false;
    }
    void skip_name() {
        const std::size_t end = rest_.starts_with('<')
                                    ? rest_.find('>') + 1
                                    : std::min(rest_.find_first_of("+-0123456789,"), rest_.size());
        sound_ = sound_ && end != 0 && end <= rest_.size();
        rest_.remove_prefix(sound_ ? end : 0);
    }
    int number() {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && digits < 4 && rest_[digits] >= '0' && rest_[digits] <= '9';
             ++digits) {
            value = 10 * value + (rest_[digits] - '0');
        }
        sound_ = sound_ && digits > 0;
        rest_.remove_prefix(digits);
        return value;
    }
    // [+-]hours[:minutes[:seconds]]
    int clock_time() {
        const bool negative = skip('-');
        if (!negative) {
            skip('+');
        }
        int seconds = 3600 * number();
        if (skip(':')) {
            seconds += 60 * number();
            if (skip(':')) {
                seconds += number();
            }
        }
        return negative ? -seconds : seconds;
    }
    rule day() {
        rule when;
        sound_ = sound_ && skip(',');
        if (skip('M')) {
            when.month = number();
            sound_ = sound_ && skip('.') && when.month >= 1 && when.month <= 12;
            when.week = number();
            sound_ = sound_ && skip('.') && when.week >= 1 && when.week <= 5;
            when.day = number();
            sound_ = sound_ && when.day <= 6;
        } else {
            when.kind = skip('J') ? 'J' : 'n';
            when.day = number();
            sound_ = sound_ && when.day <= 365;
        }
        if (skip('/')) {
            when.seconds = clock_time();
        }
        return when;
    }

    std::string_view rest_;
    bool sound_ = true;
};

time_zone time_zone::named(std::string_view name) {
    if (name == "UTC") {
        return {};
    }
    if (!is_zone_name(name)) {
        refuse(name, "is no name; allowed: as in 'Europe/Berlin' or 'UTC'");
    }
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    if (!file || bytes.empty()) {
        refuse(name, "is not known; it has no file below /usr/share/zoneinfo (Debian: tzdata)");
    }
    return from_bytes(name, bytes);
}

time_zone time_zone::from_bytes(std::string_view name, std::string_view bytes) {
    zone_reader in(name, bytes);
    // The first part is for readers of 32-bit times.
    const zone_counts old = read_counts(in, name);
    in.take(old.times * 5 + old.types * 6 + old.letters + old.leaps * 8 + old.standard + old.utc);
    const zone_counts counts = read_counts(in, name);
    time_zone zone;
    zone.name_ = name;
    for (std::size_t i = 0; i < counts.times; ++i) {
        zone.changes_.push_back({in.number(8), 0});
    }
    const std::string_view kinds = in.take(counts.times);
    std::vector<int> offsets;
    for (std::size_t i = 0; i < counts.types; ++i) {
        offsets.push_back(static_cast<int>(in.number(4)));
        in.take(2);
    }
    if (offsets.empty()) {
        refuse(name, "has a damaged file");
    }
    zone.first_offset_ = offsets[0];
    for (std::size_t i = 0; i < counts.times; ++i) {
        const auto kind = static_cast<unsigned char>(kinds[i]);
        if (kind >= offsets.size()) {
            refuse(name, "has a damaged file");
        }
        zone.changes_[i].offset = offsets[kind];
    }
    in.take(counts.letters + counts.leaps * 12 + counts.standard + counts.utc);
    std::string_view footer = in.rest();
    if (footer.size() > 2 && footer.front() == '\n') {
        footer = footer.substr(1, footer.find('\n', 1) - 1);
        if (const std::optional<rules> found = rule_reader(footer).read()) {
            zone.rules_ = *found;
            zone.has_rules_ = true;
        }
    }
    return zone;
}

int time_zone::offset_at(std::int64_t time) const noexcept {
    const auto next = std::ranges::upper_bound(changes_, time, {}, &change::time);
    if (next == changes_.end() && has_rules_) {
        return offset_by_rule(time);
    }
    return next == changes_.begin() ? first_offset_ : std::prev(next)->offset;
}

int time_zone::offset_by_rule(std::int64_t time) const noexcept {
    if (!rules_.has_summer) {
        return rules_.standard;
    }
    using namespace std::chrono;
    const sys_seconds local{seconds(time + rules_.standard)};
    const auto year =
        static_cast<std::int64_t>(static_cast<int>(year_month_day(floor<days>(local)).year()));
    const std::int64_t begin =
        day_of(rules_.to_summer, year) * day_seconds + rules_.to_summer.seconds - rules_.standard;
    const std::int64_t end =
        day_of(rules_.to_standard, year) * day_seconds + rules_.to_standard.seconds - rules_.summer;
    const bool in_summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
    return in_summer ? rules_.summer : rules_.standard;
}

std::int64_t time_zone::day_of(const rule& when, std::int64_t year) noexcept {
    const std::int64_t first = days_from_civil(year, 1, 1);
    const bool leap = std::chrono::year(static_cast<int>(year)).is_leap();
    if (when.kind == 'J') {
        return first + when.day - 1 + (leap && when.day >= 60 ? 1 : 0);
    }
    if (when.kind == 'n') {
        return first + when.day;
    }
    // The week-th such day of the month; 5 is the last.
    const std::int64_t month_first = days_from_civil(year, when.month, 1);
    const std::int64_t month_end = when.month == 12 ? days_from_civil(year + 1, 1, 1)
                                                    : days_from_civil(year, when.month + 1, 1);
    const std::int64_t weekday = ((month_first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
    std::int64_t day = month_first + (when.day - weekday + 7) % 7 + 7 * (when.week - 1);
    if (day >= month_end) {
        day -= 7;
    }
    return day;
}

}  // namespace weir::redisq
