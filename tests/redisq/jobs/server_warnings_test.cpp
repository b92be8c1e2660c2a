#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <weir/redisq/jobs/detail/server_warnings.hpp>

namespace weir::redisq {
namespace {

using detail::warnings_of_address;
using detail::warnings_of_info;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> of(const char* url) {
    return warnings_of_address(server_url::parse(url).value());
}

TEST(ServerWarningsTest, ThisMachineIsSafe) {
    for (const char* const url : {"redis://localhost", "redis://127.0.0.1:7000", "redis://[::1]",
                                  "unix:///run/redis.sock", "embedded://"}) {
        EXPECT_THAT(of(url), IsEmpty()) << url;
    }
}

TEST(ServerWarningsTest, BeyondItPasswordAndEncryptionAreMissed) {
    EXPECT_THAT(of("redis://cache.example:7000"),
                ElementsAre(HasSubstr("Redis at cache.example:7000 is used without a password"),
                            HasSubstr("not encrypted")));
    EXPECT_THAT(of("rediss://cache.example"), ElementsAre(HasSubstr("without a password")));
    EXPECT_THAT(of("rediss://:secret@cache.example"), IsEmpty());
    const auto plain = of("redis://user:secret@127.example");
    ASSERT_EQ(plain.size(), 1U);
    EXPECT_THAT(plain[0], Not(HasSubstr("secret")));
    // One of several hosts is enough.
    EXPECT_EQ(of("redis://:secret@localhost,cache.example").size(), 1U);
}

TEST(ServerWarningsTest, AServerThatMayLoseJobsIsTold) {
    EXPECT_THAT(warnings_of_info("# Memory\r\nmaxmemory_policy:allkeys-lru\r\n"
                                 "# Persistence\r\naof_enabled:0\r\n"),
                ElementsAre(HasSubstr("allkeys-lru"), HasSubstr("appendonly no")));
    EXPECT_THAT(warnings_of_info("maxmemory_policy:noeviction\r\naof_enabled:1\r\n"), IsEmpty());
    EXPECT_THAT(warnings_of_info(""), IsEmpty());
    EXPECT_THAT(warnings_of_info("aof_enabled"), IsEmpty());
}

}  // namespace
}  // namespace weir::redisq
