#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <weir/redisq/url.hpp>

namespace weir::redisq {
namespace {

server_url parsed(std::string_view text) {
    result<server_url> made = server_url::parse(text);
    if (!made) {
        ADD_FAILURE() << text << ": " << made.error().message();
        return {};
    }
    return std::move(*made);
}

TEST(RedisUrlTest, AHostAloneHasPortAndDatabaseByDefault) {
    const server_url url = parsed("redis://cache");
    EXPECT_EQ(url.over, transport::tcp);
    ASSERT_EQ(url.hosts.size(), 1U);
    EXPECT_EQ(url.hosts[0], server_host("cache", 6379));
    EXPECT_EQ(url.database, 0U);
    EXPECT_EQ(url.user, "");
    EXPECT_FALSE(url.password.has_value());
    EXPECT_EQ(parsed("redis://cache/").to_string(), "redis://cache:6379");
}

TEST(RedisUrlTest, EveryPartIsRead) {
    const server_url url =
        parsed("REDISS://worker:secret@cache.example:65535/15?client_name=a%20b");
    EXPECT_EQ(url.over, transport::tls);
    EXPECT_EQ(url.hosts[0], server_host("cache.example", 65'535));
    EXPECT_EQ(url.user, "worker");
    EXPECT_EQ(url.password, "secret");
    EXPECT_EQ(url.database, 15U);
    ASSERT_EQ(url.parameters.size(), 1U);
    EXPECT_EQ(url.parameters[0].second, "a b");
    EXPECT_EQ(url.to_string(), "rediss://cache.example:65535/15");
}

TEST(RedisUrlTest, APasswordMayHoldAnyByte) {
    const server_url url = parsed("redis://a%3ab:p%40:%25%2F%3f%23%00%ff@h");
    EXPECT_EQ(url.user, "a:b");
    EXPECT_EQ(url.password, std::string("p@:%/?#\0\xff", 9));
    EXPECT_EQ(parsed("redis://:secret@h").password, "secret");
    EXPECT_EQ(parsed("redis://nopass:@h").password, "");
}

TEST(RedisUrlTest, IPv6AddressesStandInBrackets) {
    EXPECT_EQ(parsed("redis://[::1]").hosts[0], server_host("::1", 6379));
    EXPECT_EQ(parsed("redis://u:p@[fe80::1%25eth0]:7000/1").hosts[0],
              server_host("fe80::1%eth0", 7000));
    EXPECT_EQ(parsed("redis://[::1]:7/2").to_string(), "redis://[::1]:7/2");
}

TEST(RedisUrlTest, SeveralHostsAreSeedsOrSentinels) {
    const server_url seeds = parsed("redis://a:1,b,[::1]:3");
    ASSERT_EQ(seeds.hosts.size(), 3U);
    EXPECT_EQ(seeds.hosts[1], server_host("b", 6379));
    EXPECT_EQ(seeds.to_string(), "redis://a:1,b:6379,[::1]:3");

    const server_url watched = parsed("redis+sentinel://:pw@a,b:5/my%20master/3");
    EXPECT_EQ(watched.over, transport::tcp);
    EXPECT_EQ(watched.hosts[0].port, 26'379);
    EXPECT_EQ(watched.master, "my master");
    EXPECT_EQ(watched.database, 3U);
    EXPECT_EQ(parsed("rediss+sentinel://a/m").to_string(), "rediss+sentinel://a:26379/m");
}

TEST(RedisUrlTest, AUnixSocketHasAPathAndTakesItsDatabaseAsAParameter) {
    const server_url url = parsed("unix:///run/a%20b@c.sock?db=4");
    EXPECT_EQ(url.over, transport::unix_socket);
    EXPECT_EQ(url.path, "/run/a b@c.sock");
    EXPECT_EQ(url.database, 4U);
    EXPECT_TRUE(url.hosts.empty());
    EXPECT_EQ(url.to_string(), "unix:///run/a\\x20b@c.sock?db=4");
    EXPECT_EQ(parsed("unix://u:p@/s").password, "p");
}

TEST(RedisUrlTest, AnEmbeddedServerHasNoPlace) {
    const server_url url = parsed("embedded://?db=2");
    EXPECT_EQ(url.over, transport::embedded);
    EXPECT_EQ(url.database, 2U);
    EXPECT_EQ(url.to_string(), "embedded://");
}

struct bad {
    std::string_view text;
    std::string_view expected;  // in the error
};

class BadRedisUrlTest : public testing::TestWithParam<bad> {};

TEST_P(BadRedisUrlTest, IsRefusedWithTheNameOfThePart) {
    const result<server_url> made = server_url::parse(GetParam().text);
    ASSERT_FALSE(made) << GetParam().text;
    EXPECT_EQ(made.error(), errc::bad_url);
    const std::string text = made.error().message();
    EXPECT_NE(text.find(GetParam().expected), std::string::npos) << text;
    EXPECT_NE(text.find("allowed: "), std::string::npos) << text;
    EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    EXPECT_EQ(text.find("7777"), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadRedisUrlTest,
    testing::Values(
        bad{"", "0 bytes"}, bad{"localhost:6379", "scheme is missing"},
        bad{"secret@localhost", "scheme is missing"}, bad{"redi://h", "scheme 'redi'"},
        bad{"http://u:secret@h", "scheme 'http'"}, bad{"u:secret@h://x", "scheme is unknown"},
        bad{"redis://", "host is missing"}, bad{"redis:///1", "host is missing"},
        bad{"redis://:secret", "host is missing"}, bad{"redis://u:secret@", "host is missing"},
        bad{"redis://a,,b", "host is missing"}, bad{"redis://h:0", "port is 0"},
        bad{"redis://h:65536", "port is 65536"}, bad{"redis://h:-1", "port is not a number"},
        bad{"redis://h:6379x", "port is not a number"}, bad{"redis://h:", "port is empty"},
        bad{"redis://user:secret", "port is not a number"},
        bad{"redis://user:777777777777", "port is not a number"}, bad{"redis://u:se/cret@h", "'@'"},
        bad{"redis://u:7777/x@h", "'@'"}, bad{"redis://u:7777?x@h", "'@'"},
        bad{"redis://u:p#secret@h", "'#'"}, bad{"redis://u:p@secret@h", "'@'"},
        bad{"redis://u:secret%@h", "password has a '%'"},
        bad{"redis://u:secret%4@h", "password has a '%'"},
        bad{"redis://u:secret%zz@h", "password has a '%'"},
        bad{"redis://secret%:p@h", "user has a '%'"}, bad{"redis://secret@h", "without a password"},
        bad{"redis://:@h", "are empty"}, bad{"redis://::1", "in brackets"},
        bad{"redis://::1:6379", "in brackets"}, bad{"redis://[::1", "no ']'"},
        bad{"redis://[::g]", "no IPv6"}, bad{"redis://[]", "no IPv6"},
        bad{"redis://[::1%25]", "no IPv6"}, bad{"redis://[::1]6379", "between ']'"},
        bad{"redis://a b", "host is not a name"}, bad{"redis://a%20b", "host is not a name"},
        bad{"redis://h/x", "database 'x'"}, bad{"redis://h/-1", "database '-1'"},
        bad{"redis://h/2147483648", "database '2147483648'"},
        bad{"redis://h/1/2", "database '1/2'"}, bad{"redis://h/1?db=2", "given twice"},
        bad{"redis://h?db=1&db=1", "given twice"}, bad{"redis://h?databse=1", "'databse'"},
        bad{"redis://h?protocol=3&protocol=3", "repeated"}, bad{"redis://h?protocol", "no value"},
        bad{"redis://h?protocol=%", "no value"}, bad{"redis://h?&", "parameter ''"},
        bad{"unix://run/redis.sock", "begin with '/'"}, bad{"unix://", "path is 0"},
        bad{"unix:///", "path is 1"}, bad{"unix:///a%00b", "NUL"},
        bad{"unix:///%", "path has a '%'"}, bad{"redis+sentinel://h", "master is missing"},
        bad{"redis+sentinel://h/", "master is missing"},
        bad{"redis+sentinel://h/%", "master is missing"},
        bad{"redis+sentinel://h/m/x", "database 'x'"}, bad{"embedded://h", "embedded://"},
        bad{"embedded:///tmp", "embedded://"}));

TEST(RedisUrlTest, LengthsAreLimited) {
    const std::string path(108, 'p');
    EXPECT_EQ(server_url::parse("unix:///" + path).error(), errc::bad_url);
    EXPECT_EQ(server_url::parse("redis://h?client_name=" + std::string(9'000, 'n')).error(),
              errc::bad_url);
    std::string many = "redis://h";
    for (int i = 1; i < 64; ++i) {
        many += ",h";
    }
    EXPECT_EQ(parsed(many).hosts.size(), 64U);
    EXPECT_EQ(server_url::parse(many + ",h").error(), errc::bad_url);
    EXPECT_EQ(server_url::parse("redis://" + std::string(254, 'h')).error(), errc::bad_url);
}

}  // namespace
}  // namespace weir::redisq
