#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weir/redisq/script.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

TEST(ScriptTest, HashesAreThoseOfTheServer) {
    EXPECT_EQ(script("").hash(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(script("abc").hash(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(script(std::string(56, 'a')).hash(), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
    EXPECT_EQ(script(std::string(1'000'000, 'a')).hash(),
              "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(ScriptTest, KeysAreCounted) {
    const std::vector<std::string> names = {"b", "c"};
    EXPECT_EQ(keys().size(), 0U);
    EXPECT_EQ(keys("a", names).size(), 3U);
}

task<> the_text_is_sent_where_the_hash_is_unknown(test::fake_redis& server, client& redis) {
    bool known = false;
    server.answer = [&](const test::words& words) -> std::string {
        if (words[0] == "EVALSHA" && !known) {
            return "-NOSCRIPT No matching script.\r\n";
        }
        known = known || words[0] == "EVAL";
        return words[0].starts_with("EVAL") ? ":7\r\n" : server.usual(words);
    };
    const script seven("return 7");
    const std::string key = "k";
    EXPECT_EQ(co_await redis.run<int>(seven, keys(key), 3, "x"), 7);
    EXPECT_EQ(server.log.size(), 2U);
    EXPECT_EQ(server.log[0],
              test::words({"EVALSHA", std::string(seven.hash()), "1", "k", "3", "x"}));
    EXPECT_EQ(server.log[1], test::words({"EVAL", "return 7", "1", "k", "3", "x"}));
    EXPECT_EQ(co_await redis.run<int>(idempotent, seven, keys()), 7);
    EXPECT_EQ(server.log.size(), 3U);
}

TEST(ScriptTest, TheTextIsSentWhereTheHashIsUnknown) {
    test::run_with_client(&the_text_is_sent_where_the_hash_is_unknown);
}

}  // namespace
}  // namespace weir::redisq
