// time_zone: when it is what o'clock somewhere, by the system's time zone data.
//
//     const auto berlin = weir::redisq::time_zone::named("Europe/Berlin");
//     const int offset = berlin.offset_at(1795380296);   // seconds east of Greenwich
//
// Reads compiled files (RFC 8536) below /usr/share/zoneinfo, and follows the rule at their end for
// times after the last listed change. "UTC" needs no file.
//
// Errors: std::invalid_argument for a name that is none or has no readable file.
// Thread: any; a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::redisq {

class time_zone {
  public:
    // UTC.
    time_zone() = default;

    // A name such as "Europe/Berlin", "America/New_York", "UTC".
    [[nodiscard]] static time_zone named(std::string_view name);
    // From the bytes of such a file.
    [[nodiscard]] static time_zone from_bytes(std::string_view name, std::string_view bytes);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    // Seconds to add to a time (since 1970, UTC) for the local one.
    [[nodiscard]] int offset_at(std::int64_t time) const noexcept;

  private:
    struct change {
        std::int64_t time;
        int offset;
    };
    // One end of summer time: which day of a year, and when on it, by the clock before the change.
    struct rule {
        char kind = 'M';  // M month.week.day, J day 1 to 365 without the 29th, n day 0 to 365
        int month = 0, week = 0, day = 0;
        int seconds = 7200;
    };
    struct rules {
        bool has_summer = false;
        int standard = 0, summer = 0;
        rule to_summer, to_standard;
    };

    class rule_reader;
    [[nodiscard]] int offset_by_rule(std::int64_t time) const noexcept;
    [[nodiscard]] static std::int64_t day_of(const rule& when, std::int64_t year) noexcept;

    std::string name_ = "UTC";
    int first_offset_ = 0;
    std::vector<change> changes_;
    bool has_rules_ = false;
    rules rules_;
};

}  // namespace weir::redisq
