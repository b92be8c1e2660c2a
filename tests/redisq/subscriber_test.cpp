#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/subscriber.hpp>

#include "support/fake_redis.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using test::bulk;
using test::fake_redis;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Confirms what is subscribed; by arrays where the client speaks RESP2.
std::string confirm(const fake_redis& server, const test::words& words, char kind) {
    std::string all;
    std::string what = words[0];
    std::ranges::transform(what, what.begin(), [](char c) { return static_cast<char>(c | 32); });
    for (std::size_t at = 1; at < words.size(); ++at) {
        all += test::array_of({bulk(what), bulk(words[at]), ":1\r\n"}, kind);
    }
    static_cast<void>(server);
    return all;
}

void confirm_all(fake_redis& server, char kind = '>') {
    server.answer = [&server, kind](const test::words& words) {
        return words[0].ends_with("SUBSCRIBE") ? confirm(server, words, kind) : server.usual(words);
    };
}

std::string pushed(std::string_view channel, std::string_view text, char kind = '>') {
    return test::array_of({bulk("message"), bulk(channel), bulk(text)}, kind);
}

using body = task<> (*)(fake_redis&, subscriber&);

task<> with_subscriber(body run, subscriber_options own) {
    fake_redis server;
    confirm_all(server);
    scope s;
    s.spawn(server.run());
    {
        subscriber news(server.options(), own);
        co_await run(server, news);
    }
    server.stop();
    co_await s.join();
}

void run(body what, subscriber_options own = subscriber_options()) {
    test::run_test(with_subscriber(what, own));
}

task<> messages_come_in_order(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a", "b"));
    EXPECT_TRUE(co_await news.subscribe_patterns("c*"));
    EXPECT_EQ(server.log[0], test::words({"SUBSCRIBE", "a", "b"}));
    server.say(pushed("a", "one"));
    server.say(test::array_of({bulk("pmessage"), bulk("c*"), bulk("cat"), bulk("two")}, '>'));
    const auto first = co_await news.receive();
    const auto second = co_await news.receive();
    EXPECT_EQ(first->channel, "a");
    EXPECT_EQ(first->payload, "one");
    EXPECT_EQ(first->pattern, "");
    EXPECT_EQ(second->channel, "cat");
    EXPECT_EQ(second->pattern, "c*");
    EXPECT_EQ(second->payload, "two");
}

TEST(SubscriberTest, MessagesComeInOrder) { run(&messages_come_in_order); }

task<> receive_into(subscriber& from, std::vector<std::string>& log) {
    while (true) {
        const auto next = co_await from.receive();
        if (!next) {
            EXPECT_EQ(next.error(), errc::closed) << next.error().message();
            co_return;
        }
        log.push_back(next->payload);
    }
}

task<> who_waits_is_told_of_the_end(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    std::vector<std::string> log;
    scope s;
    s.spawn(receive_into(news, log));
    server.say(pushed("a", "one"));
    co_await test::settle();
    EXPECT_EQ(log, std::vector<std::string>({"one"}));
    news.close();
    co_await s.join();
    EXPECT_EQ((co_await news.subscribe("b")).error(), errc::closed);
}

TEST(SubscriberTest, WhoWaitsIsToldOfTheEnd) { run(&who_waits_is_told_of_the_end); }

task<> it_subscribes_again(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a", "b"));
    news.unsubscribe({"b"});
    co_await test::settle();
    server.drop();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(server.accepted, 2);
    EXPECT_EQ(news.losses(), 1U);
    EXPECT_EQ(server.log.back(), test::words({"SUBSCRIBE", "a"}));
    server.say(pushed("a", "after"));
    EXPECT_EQ((co_await news.receive())->payload, "after");
}

TEST(SubscriberTest, ItSubscribesAgain) { run(&it_subscribes_again); }

// And what has left is not asked for again.
task<> patterns_and_shards_leave_by_commands_of_their_own(fake_redis& server, subscriber& news) {
    std::vector<std::string> shards = {"{c}1", "{c}2"};
    EXPECT_TRUE(co_await news.subscribe_patterns("a*", "b*"));
    EXPECT_TRUE(co_await news.subscribe_sharded(std::move(shards)));
    server.log.clear();
    news.unsubscribe_patterns({"b*", "never"});
    news.unsubscribe_sharded({"{c}2"});
    co_await test::settle();
    EXPECT_THAT(server.log, ElementsAre(test::words({"PUNSUBSCRIBE", "b*"}),
                                        test::words({"SUNSUBSCRIBE", "{c}2"})));
    server.log.clear();
    server.drop();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_THAT(server.log, UnorderedElementsAre(test::words({"PSUBSCRIBE", "a*"}),
                                                 test::words({"SSUBSCRIBE", "{c}1"})));
    server.say(test::array_of({bulk("smessage"), bulk("{c}1"), bulk("after")}, '>'));
    const auto next = co_await news.receive();
    EXPECT_EQ(next->payload, "after");
    EXPECT_TRUE(next->is_sharded);
}

TEST(SubscriberTest, PatternsAndShardsLeaveByCommandsOfTheirOwn) {
    run(&patterns_and_shards_leave_by_commands_of_their_own);
}

task<> reading_stops_while_the_buffer_is_full(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    for (int count = 0; count < 10; ++count) {
        server.say(pushed("a", std::to_string(count)));
    }
    co_await test::settle();
    EXPECT_EQ(news.buffered(), 2U);
    for (int count = 0; count < 10; ++count) {
        EXPECT_EQ((co_await news.receive())->payload, std::to_string(count));
    }
    EXPECT_EQ(news.dropped(), 0U);
}

TEST(SubscriberTest, ReadingStopsWhileTheBufferIsFull) {
    run(&reading_stops_while_the_buffer_is_full, subscriber_options(2, overflow::wait));
}

task<> the_oldest_go(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    for (const char* const text : {"1", "2", "3", "4"}) {
        server.say(pushed("a", text));
    }
    co_await test::settle();
    EXPECT_EQ(news.dropped(), 2U);
    EXPECT_EQ((co_await news.receive())->payload, "3");
    EXPECT_EQ((co_await news.receive())->payload, "4");
}

TEST(SubscriberTest, TheOldestGo) {
    run(&the_oldest_go, subscriber_options(2, overflow::drop_oldest));
}

task<> the_newest_go(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    for (const char* const text : {"1", "2", "3", "4"}) {
        server.say(pushed("a", text));
    }
    co_await test::settle();
    EXPECT_EQ(news.dropped(), 2U);
    EXPECT_EQ((co_await news.receive())->payload, "1");
    EXPECT_EQ((co_await news.receive())->payload, "2");
}

TEST(SubscriberTest, TheNewestGo) {
    run(&the_newest_go, subscriber_options(2, overflow::drop_newest));
}

task<> the_connection_goes(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    for (const char* const text : {"1", "2"}) {
        server.say(pushed("a", text));
    }
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(news.losses(), 1U);
    EXPECT_EQ(news.dropped(), 1U);
    EXPECT_TRUE(news.is_connected());
}

TEST(SubscriberTest, TheConnectionGoes) {
    run(&the_connection_goes, subscriber_options(1, overflow::disconnect));
}

task<> refusals_are_told(fake_redis& server, subscriber& news) {
    server.answer = [&server](const test::words& words) {
        return words[0] == "HELLO" ? server.usual(words)
                                   : std::string("-NOPERM no permissions\r\n");
    };
    EXPECT_EQ((co_await news.subscribe("secret")).error(), errc::no_permission);
    confirm_all(server);
    EXPECT_TRUE(co_await news.subscribe("open"));
}

TEST(SubscriberTest, RefusalsAreTold) { run(&refusals_are_told); }

// Who was promised a channel keeps it, also where the server refuses for a time to promise it anew.
task<> a_refusal_takes_no_channel_of_old(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    server.answer = [&server](const test::words& words) {
        return words[0] == "HELLO" ? server.usual(words)
                                   : std::string("-NOPERM no permissions\r\n");
    };
    server.drop();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_TRUE(news.is_connected());
    EXPECT_EQ((co_await news.subscribe("secret")).error(), errc::no_permission);
    confirm_all(server);
    server.drop();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(server.log.back(), test::words({"SUBSCRIBE", "a"}));
    server.say(pushed("a", "after"));
    EXPECT_EQ((co_await news.receive())->payload, "after");
}

TEST(SubscriberTest, ARefusalTakesNoChannelOfOld) { run(&a_refusal_takes_no_channel_of_old); }

// A channel that the server refuses to a new connection, and then allows again.
task<> a_refused_channel_may_be_asked_for_again(fake_redis& server, subscriber& news) {
    EXPECT_TRUE(co_await news.subscribe("a"));
    server.answer = [&server](const test::words& words) {
        return words[0] == "HELLO" ? server.usual(words)
                                   : std::string("-NOPERM no permissions\r\n");
    };
    server.drop();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_TRUE(news.is_connected());
    EXPECT_EQ((co_await news.subscribe("a")).error(), errc::no_permission);
    confirm_all(server);
    EXPECT_TRUE(co_await news.subscribe("a"));
    EXPECT_EQ(server.log.back(), test::words({"SUBSCRIBE", "a"}));
    EXPECT_EQ(server.accepted, 2) << "on the same connection";
}

TEST(SubscriberTest, ARefusedChannelMayBeAskedForAgain) {
    run(&a_refused_channel_may_be_asked_for_again);
}

// The server ends it by itself, as it does when the slot of a sharded channel moves.
task<> an_ended_channel_may_be_asked_for_again(fake_redis& server, subscriber& news) {
    const std::vector<std::string> channels = {"s"};
    EXPECT_TRUE(co_await news.subscribe_sharded(channels));
    server.say(test::array_of({bulk("sunsubscribe"), bulk("s"), ":0\r\n"}, '>'));
    co_await test::settle();
    server.answer = [](const test::words&) { return std::string("-MOVED 1 127.0.0.1:1\r\n"); };
    EXPECT_EQ((co_await news.subscribe_sharded(channels)).error(), errc::moved);
}

TEST(SubscriberTest, AnEndedChannelMayBeAskedForAgain) {
    run(&an_ended_channel_may_be_asked_for_again);
}

task<> a_refused_greeting_is_told(fake_redis& server, subscriber& news) {
    server.answer = [](const test::words& words) {
        return words[0] == "HELLO" ? std::string("-WRONGPASS invalid\r\n-NOAUTH first AUTH\r\n")
                                   : std::string();
    };
    EXPECT_EQ((co_await news.subscribe("a")).error(), errc::wrong_password)
        << "and not what the server says to the commands behind it";
}

TEST(SubscriberTest, ARefusedGreetingIsTold) { run(&a_refused_greeting_is_told); }

task<> without_a_server_the_cause_is_told() {
    subscriber news("unix:///nowhere/redis.sock");
    const result<void> made = co_await news.subscribe("a");
    EXPECT_EQ(made.error(), errc::connect_failed);
    EXPECT_EQ(made.error().message(), "unix socket /nowhere/redis.sock: No such file or directory");
}

TEST(SubscriberTest, WithoutAServerTheCauseIsTold) {
    test::run_test(without_a_server_the_cause_is_told());
}

task<> confirmations_have_their_time(fake_redis& server, subscriber& news) {
    server.deaf = false;
    server.answer = [&server](const test::words& words) {
        return words[0] == "HELLO" ? server.usual(words) : std::string();
    };
    EXPECT_EQ((co_await news.subscribe("a")).error(), errc::timed_out);
}

TEST(SubscriberTest, ConfirmationsHaveTheirTime) { run(&confirmations_have_their_time); }

task<> old_servers_speak_in_arrays(fake_redis& server, subscriber& news) {
    server.refuse_hello();
    confirm_all(server, '*');
    EXPECT_TRUE(co_await news.subscribe("a"));
    server.say(pushed("a", "one", '*'));
    EXPECT_EQ((co_await news.receive())->payload, "one");
}

TEST(SubscriberTest, OldServersSpeakInArrays) { run(&old_servers_speak_in_arrays); }

TEST(SubscriberTest, OptionsAreChecked) {
    const auto make = []() -> task<> {
        EXPECT_THROW(subscriber("redis://localhost", subscriber_options(0, overflow::wait)),
                     std::invalid_argument);
        co_return;
    };
    test::run_test(make());
}

}  // namespace
}  // namespace weir::redisq
