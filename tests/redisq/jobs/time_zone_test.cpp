#include <gtest/gtest.h>
#include <chrono>
#include <stdexcept>
#include <string>
#include <weir/redisq/jobs/time_zone.hpp>

namespace weir::redisq {
namespace {

std::int64_t utc(int year, unsigned month, unsigned day, int hour = 0) {
    using namespace std::chrono;
    const sys_days date =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
    return date.time_since_epoch().count() * std::int64_t{86'400} + hour * 3600;
}

TEST(TimeZoneTest, KnowsTheListedChanges) {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    EXPECT_EQ(berlin.offset_at(utc(2026, 1, 1)), 3600);
    EXPECT_EQ(berlin.offset_at(utc(2026, 7, 1)), 7200);
    EXPECT_EQ(berlin.offset_at(utc(2026, 3, 29, 1) - 1), 3600);
    EXPECT_EQ(berlin.offset_at(utc(2026, 3, 29, 1)), 7200);
    EXPECT_EQ(time_zone::named("Asia/Kolkata").offset_at(utc(2026, 1, 1)), 19'800);
    EXPECT_EQ(time_zone().offset_at(0), 0);
}

TEST(TimeZoneTest, FollowsTheRuleAfterTheLastChange) {
    const time_zone berlin = time_zone::named("Europe/Berlin");
    EXPECT_EQ(berlin.offset_at(utc(2090, 1, 1)), 3600);
    EXPECT_EQ(berlin.offset_at(utc(2090, 3, 26, 1) - 1), 3600);  // the last Sunday of March
    EXPECT_EQ(berlin.offset_at(utc(2090, 3, 26, 1)), 7200);
    EXPECT_EQ(berlin.offset_at(utc(2090, 10, 29, 1) - 1), 7200);
    EXPECT_EQ(berlin.offset_at(utc(2090, 10, 29, 1)), 3600);
    // South of the equator summer spans the new year.
    const time_zone sydney = time_zone::named("Australia/Sydney");
    EXPECT_EQ(sydney.offset_at(utc(2090, 1, 1)), 39'600);
    EXPECT_EQ(sydney.offset_at(utc(2090, 7, 1)), 36'000);
}

// A file without a listed change.
std::string file_with_rule(const std::string& rule) {
    const std::string zeros(4, '\0');
    const auto count = [](char value) { return std::string("\0\0\0", 3) + value; };
    const std::string head =
        "TZif2" + std::string(15, '\0') + zeros + zeros + zeros + zeros + count(1) + count(4);
    const std::string body = zeros + std::string(2, '\0') + std::string("ABC\0", 4);
    return head + body + head + body + "\n" + rule + "\n";
}

TEST(TimeZoneTest, ReadsEveryKindOfRule) {
    const auto offset = [](const std::string& rule, std::int64_t time) {
        return time_zone::from_bytes("X", file_with_rule(rule)).offset_at(time);
    };
    EXPECT_EQ(offset("EST5", 0), -18'000);
    EXPECT_EQ(offset("<+0330>-3:30", 0), 12'600);
    EXPECT_EQ(offset("EST5EDT,J60,J300", utc(2024, 3, 1, 7)), -14'400);  // 1 March in any year
    EXPECT_EQ(offset("EST5EDT,J60,J300", utc(2024, 2, 29, 7)), -18'000);
    EXPECT_EQ(offset("EST5EDT,59,300", utc(2024, 2, 29, 7)), -14'400);  // the 60th day
    EXPECT_EQ(offset("EST5EDT4,M3.2.0/2,M11.1.0/2", utc(2026, 7, 1)), -14'400);
    EXPECT_EQ(offset("nonsense", 0), 0);  // the file's own offset
}

TEST(TimeZoneTest, DamagedFilesAndNamesThatAreNoneAreRefused) {
    const std::string sound = file_with_rule("EST5");
    const std::size_t needed = sound.size() - 6;
    for (std::size_t length = 0; length < needed; ++length) {
        EXPECT_THROW(static_cast<void>(time_zone::from_bytes("X", sound.substr(0, length))),
                     std::invalid_argument)
            << length;
    }
    for (const char* bad : {"", "Mars/Olympus", "/etc/passwd", "../../../etc/passwd", "a b"}) {
        EXPECT_THROW(static_cast<void>(time_zone::named(bad)), std::invalid_argument) << bad;
    }
}

}  // namespace
}  // namespace weir::redisq
