// cron_schedule: the five fields of crontab(5), in a time zone.
//
//     const weir::redisq::cron_schedule nightly("30 2 * * mon-fri", "Europe/Berlin");
//     std::optional<std::int64_t> next = nightly.next(1795380296);   // seconds since 1970
//
// Minute, hour, day of the month, month, day of the week: '*', numbers, names (jan, mon), ranges
// "1-5", steps "*/15" and "10-50/20", lists "1,15". Sunday is 0 and 7. Where both days are given,
// either will do. Also @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
//
// When the clocks change: a schedule whose hour begins with '*' follows real time, so every 30
// minutes stays that. Of any other, a time that the clocks leave out comes as much later as they
// jumped, and one that comes twice counts the first time.
//
// Errors: std::invalid_argument, which names the field, its text and what is allowed.
// Thread: any; a value.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "time_zone.hpp"

namespace weir::redisq {

class cron_schedule {
  public:
    explicit cron_schedule(std::string_view text, std::string_view zone = "UTC");
    cron_schedule(std::string_view text, time_zone zone);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const time_zone& zone() const noexcept { return zone_; }

    // The first tick after `time`, both in seconds since 1970; nothing where eight years hold none.
    [[nodiscard]] std::optional<std::int64_t> next(std::int64_t time) const;

  private:
    [[nodiscard]] bool day_matches(std::int64_t local_day) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> next_by_real_time(std::int64_t time) const noexcept;
    [[nodiscard]] std::optional<std::int64_t> next_by_local_time(std::int64_t time) const noexcept;
    [[nodiscard]] std::int64_t real_time(std::int64_t local) const noexcept;

    std::string text_;
    time_zone zone_;
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<8> weekdays_;
    bool any_day_ = false;
    bool any_weekday_ = false;
    bool any_hour_ = false;
};

}  // namespace weir::redisq
