#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <weir/redisq/options.hpp>
#include <weir/runtime/tls/context.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

TEST(RedisOptionsTest, TheDefaultsAreSound) {
    const client_options options;
    EXPECT_TRUE(options.check());
    EXPECT_EQ(options.server.to_string(), "redis://localhost:6379");
    EXPECT_NO_THROW(options.require_sound());
}

TEST(RedisOptionsTest, AUrlSetsWhatItNames) {
    const client_options options(
        "redis://h?client_name=me&protocol=2&connect_timeout=250ms&command_timeout=2m");
    EXPECT_EQ(options.client_name, "me");
    EXPECT_EQ(options.protocol, 2);
    EXPECT_EQ(options.connect_timeout, 250ms);
    EXPECT_EQ(options.command_timeout, 2min);
    EXPECT_TRUE(options.check());
}

TEST(RedisOptionsTest, AUrlNamesTheFilesOfTls) {
    const client_options options(
        "rediss://10.0.0.1?tls_authorities=/a&tls_certificate=/c&tls_key=/k&tls_server_name=h");
    ASSERT_NE(options.tls, nullptr);
    EXPECT_EQ(options.tls->authorities.value(), "/a");
    EXPECT_EQ(options.tls->certificate_chain.value(), "/c");
    EXPECT_EQ(options.tls->private_key.value(), "/k");
    EXPECT_EQ(options.tls_server_name, "h");
}

std::string refusal(std::string_view url) {
    try {
        const client_options made(url);
        return "nothing was thrown for " + std::string(url);
    } catch (const std::invalid_argument& thrown) {
        return thrown.what();
    }
}

TEST(RedisOptionsTest, ABadUrlIsThrownWithItsText) {
    EXPECT_NE(refusal("redis://h:0").find("port is 0; allowed: 1 to 65535"), std::string::npos);
    EXPECT_NE(refusal("redis://h?protocol=4").find("'protocol' is '4'"), std::string::npos);
    for (const char* const length : {"5", "s", "-5s", "5 s", "5.5s", "5S", "1e3s",
                                     "999999999999999999d", "1000000000000000000s"}) {
        EXPECT_NE(refusal("redis://h?connect_timeout=" + std::string(length)).find("a unit"),
                  std::string::npos)
            << refusal("redis://h?connect_timeout=" + std::string(length));
    }
    EXPECT_NE(refusal("redis://h?tls_key=/k").find("without TLS"), std::string::npos);
}

struct wrong {
    std::string_view expected;
    std::function<void(client_options&)> set;
};

TEST(RedisOptionsTest, EachOptionOutOfItsRangeIsNamedWithValueAndRange) {
    const wrong all[] = {
        {"connect_timeout is 0s; allowed: 1ms to 1d", [](auto& o) { o.connect_timeout = 0s; }},
        {"connect_timeout is 25h", [](auto& o) { o.connect_timeout = 25h; }},
        {"command_timeout is -1ns; allowed: 0s to 1d",
         [](auto& o) { o.command_timeout = duration(-1); }},
        {"idle_timeout is 31d; allowed: 0s to 30d", [](auto& o) { o.idle_timeout = 744h; }},
        {"reconnect.first is 0s; allowed: 1ms", [](auto& o) { o.reconnect.first = 0s; }},
        {"reconnect.longest is 49ms; allowed: 50ms to 1h",
         [](auto& o) { o.reconnect.longest = 49ms; }},
        {"max_pending is 0; allowed: 1 to 16777216", [](auto& o) { o.max_pending = 0; }},
        {"max_pending_bytes is 1; allowed: 1024", [](auto& o) { o.max_pending_bytes = 1; }},
        {"limits.depth_max is 0", [](auto& o) { o.limits.depth_max = 0; }},
        {"limits.bulk_bytes_max is 536870913, allowed: 1 to 536870912",
         [](auto& o) { o.limits.bulk_bytes_max = 536'870'913; }},
        {"protocol is 4; allowed: 2 or 3", [](auto& o) { o.protocol = 4; }},
        {"client_name is 'a\\x20b'", [](auto& o) { o.client_name = "a b"; }},
        {"client_name", [](auto& o) { o.client_name = std::string(129, 'n'); }},
        {"server is without a host", [](auto& o) { o.server.hosts.clear(); }},
        {"server is 'h:0'", [](auto& o) { o.server.hosts = {server_host("h", 0)}; }},
        {"server is a Unix socket without a path",
         [](auto& o) { o.server.over = transport::unix_socket; }},
        {"tls is given for redis://localhost:6379; allowed: with rediss://",
         [](auto& o) { o.tls = std::make_shared<const tls_options>(); }},
    };
    for (const wrong& one : all) {
        client_options options;
        one.set(options);
        const result<void> sound = options.check();
        ASSERT_FALSE(sound) << one.expected;
        EXPECT_EQ(sound.error(), errc::bad_option);
        EXPECT_NE(sound.error().message().find(one.expected), std::string::npos)
            << sound.error().message();
        EXPECT_NE(sound.error().message().find("allowed: "), std::string::npos);
        EXPECT_THROW(options.require_sound(), std::invalid_argument);
    }
}

TEST(RedisOptionsTest, ATextNeverShowsThePassword) {
    client_options options("rediss://worker:hidden@h");
    options.max_pending = 0;
    EXPECT_EQ(options.check().error().message().find("hidden"), std::string::npos);
    EXPECT_EQ(refusal("redis://worker:hidden@h?tls_key=/k").find("hidden"), std::string::npos);
}

TEST(RedisOptionsTest, DelaysGrowToTheirCeilingAndVaryBelowIt) {
    const backoff waits;
    constexpr std::uint64_t most = UINT64_MAX;
    EXPECT_EQ(waits.delay(0, most), 50ms);
    EXPECT_EQ(waits.delay(1, most), 100ms);
    EXPECT_EQ(waits.delay(3, most), 400ms);
    EXPECT_EQ(waits.delay(4, most), 500ms);
    EXPECT_EQ(waits.delay(4'000'000'000U, most), 500ms);
    EXPECT_EQ(waits.delay(1, most / 2 + 1), 50ms + 1ns);
    EXPECT_GT(waits.delay(0, 0), duration::zero());
    EXPECT_LT(waits.delay(9, 0), 1us);
}

}  // namespace
}  // namespace weir::redisq
