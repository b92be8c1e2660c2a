// How a client meets servers that are not as it would have them.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <weir/redisq/client.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_server.hpp"
#include "support/temporary_folder.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// What connecting comes to, for options that are to fail soon.
task<result<void>> connect_once(client_options options) {
    options.connect_attempts = 1;
    client redis(std::move(options));
    co_return co_await redis.connect();
}

error refusal(client_options options) {
    const result<void> made = run(connect_once(std::move(options)));
    EXPECT_FALSE(made);
    return made ? error(std::error_code()) : made.error();
}

test::redis_settings with_users() {
    return test::redis_settings()
        .line("aclfile users.acl")
        .file("users.acl",
              "user default off\n"
              "user root on >toor ~* &* +@all\n"
              "user worker on >s@:/%e ~jobs:* &* +@all -@dangerous\n"
              "user mute on >m ~* -@all +auth\n")
        .admin("root", "toor");
}

task<> work_as_user(std::string url) {
    client redis(url);
    EXPECT_EQ(co_await redis.command<std::string>("ACL", "WHOAMI"), "worker");
    EXPECT_TRUE(co_await redis.command<void>("SET", "jobs:1", "x"));
    const result<void> foreign = co_await redis.command<void>("SET", "other", "x");
    EXPECT_EQ(foreign.error(), errc::no_permission);
    EXPECT_EQ((co_await redis.command<void>("FLUSHALL")).error(), errc::no_permission);
    EXPECT_EQ(redis.protocol(), 3);
}

TEST(ConnectionTest, AUserOfAnAclWorksWithItsRights) {
    WEIR_NEEDS_REDIS();
    test::redis_server server(with_users());
    run(work_as_user("unix://worker:s%40:%2F%25e@" + server.socket()));
    run(work_as_user("unix://worker:s%40:%2F%25e@" + server.socket() + "?protocol=3"));
}

task<> talk_version_two(std::string url) {
    client redis(url);
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "x"), "x");
    EXPECT_EQ(redis.protocol(), 2);
    EXPECT_EQ(co_await redis.command<std::string>("CLIENT", "GETNAME"), "me");
}

TEST(ConnectionTest, VersionTwoIsSpokenWhenAskedFor) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server;
    run(talk_version_two(server.url() + "?protocol=2&client_name=me&db=3"));
}

TEST(ConnectionTest, WhoIsNotLetInIsToldWhy) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server(with_users());
    for (const std::string version : {"?protocol=2", "?protocol=3"}) {
        const error wrong =
            refusal(client_options("unix://worker:hidden@" + server.socket() + version));
        EXPECT_EQ(wrong, errc::wrong_password) << wrong.message();
        EXPECT_FALSE(holds(wrong.message(), "hidden"));
        EXPECT_TRUE(holds(wrong.message(), server.socket())) << wrong.message();
        EXPECT_EQ(refusal(client_options("unix://nobody:x@" + server.socket() + version)),
                  errc::wrong_password);
        const error none = refusal(client_options(server.url() + version));
        EXPECT_EQ(none, errc::no_auth) << none.message();
        EXPECT_TRUE(holds(none.message(), "the URL gives no password"));
    }
}

TEST(ConnectionTest, ADatabaseThatDoesNotExistIsNamed) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server;
    const error none = refusal(client_options(server.url() + "?db=99"));
    EXPECT_EQ(none, errc::server_error);
    EXPECT_TRUE(holds(none.message(), "SELECT 99: ERR DB index is out of range")) << none.message();
}

TEST(ConnectionTest, ASocketThatIsNoneIsNamed) {
    const test::temporary_folder folder;
    const error missing = refusal(client_options("unix://" + folder.file("none")));
    EXPECT_EQ(missing, errc::connect_failed);
    EXPECT_TRUE(holds(missing.message(), folder.file("none"))) << missing.message();
    std::ofstream(folder.file("file")) << "x";
    const error file = refusal(client_options("unix://" + folder.file("file")));
    EXPECT_EQ(file, errc::connect_failed);
    EXPECT_TRUE(holds(file.message(), folder.file("file"))) << file.message();
    EXPECT_EQ(refusal(client_options("redis://127.0.0.1:1")), errc::connect_failed);
    EXPECT_EQ(refusal(client_options("redis://no-such-host.invalid")), errc::connect_failed);
}

task<> wait_for_a_slow_server(test::redis_server& server) {
    client_options options(server.url());
    options.command_timeout = 10s;
    client redis(options);
    EXPECT_TRUE(co_await redis.connect());
    const result<void> late =
        co_await redis.command<void>(call_options().within(50ms), "DEBUG", "SLEEP", "0.3");
    EXPECT_EQ(late.error(), errc::timed_out);
    // Its reply comes, and goes to nobody.
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "mine"), "mine");
    EXPECT_EQ(redis.core().counters().connections, 1U);
}

TEST(ConnectionTest, ASlowServersRepliesReachNobodyElse) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    run(wait_for_a_slow_server(server));
}

task<> outlast_a_stop(test::redis_server& server) {
    client_options options(server.url());
    options.command_timeout = 200ms;
    client redis(options);
    EXPECT_TRUE(co_await redis.command<void>(call_options().within(20s), "SET", "k", "v"));
    server.stop();
    EXPECT_EQ((co_await redis.command<std::string>("GET", "k")).error(), errc::timed_out);
    server.resume();
    for (int attempt = 0; attempt < 50; ++attempt) {
        const result<std::string> text = co_await redis.command<std::string>("GET", "k");
        if (text) {
            EXPECT_EQ(*text, "v");
            co_return;
        }
    }
    ADD_FAILURE() << "the client does not come back";
}

TEST(ConnectionTest, AStoppedServerIsWaitedForNoLongerThanAsked) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    run(outlast_a_stop(server));
}

task<> fill_up(std::string url) {
    client redis(url);
    const std::string block(100'000, 'x');
    result<void> stored;
    for (int i = 0; stored && i < 1'000; ++i) {
        stored = co_await redis.command<void>("SET", "k" + std::to_string(i), block);
    }
    EXPECT_EQ(stored.error(), errc::out_of_memory);
    EXPECT_EQ(co_await redis.command<std::string>("GET", "k0"), block);
}

TEST(ConnectionTest, AFullServerSaysSoAndGoesOn) {
    WEIR_NEEDS_REDIS();
    const test::redis_server server(
        test::redis_settings().line("maxmemory 8mb").line("maxmemory-policy noeviction"));
    run(fill_up(server.url()));
}

task<> use_while_loading(test::redis_server& server) {
    client redis(server.url());
    EXPECT_TRUE(co_await redis.command<void>("DEBUG", "POPULATE", 2'000));
    EXPECT_TRUE(co_await redis.command<void>("CONFIG", "SET", "key-load-delay", 500));
    EXPECT_TRUE(co_await redis.command<void>("CONFIG", "SET",
                                             "loading-process-events-interval-bytes", 1'024));
    // Reads its own data again, half a millisecond a key.
    test::redis_admin beside = server.connect();
    beside.send({"DEBUG", "RELOAD"});
    error said(errc::timed_out);
    for (int attempt = 0; attempt < 2'000 && said != errc::loading; ++attempt) {
        const result<int> size = co_await redis.command<int>("EXISTS", "key:1");
        said = size ? error(errc::timed_out) : size.error();
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(said, errc::loading);
    EXPECT_TRUE(said.from_server());
}

TEST(ConnectionTest, AServerThatLoadsItsDataSaysSo) {
    WEIR_NEEDS_REDIS();
    test::redis_server server(test::redis_settings().line("dbfilename dump.rdb"));
    run(use_while_loading(server));
}

}  // namespace
}  // namespace weir::redisq
