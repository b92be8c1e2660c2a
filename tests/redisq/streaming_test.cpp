#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/streaming.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

using kind = resp::stream_event::kind;

void answer_get_with(test::fake_redis& server, std::string reply) {
    server.answer = [&server, reply](const test::words& words) {
        return words[0] == "GET" ? reply : server.usual(words);
    };
}

task<> a_long_text_comes_in_chunks(test::fake_redis& server, client& redis) {
    const std::string text = test::pattern(1'000'000);
    answer_get_with(server, test::bulk(text));
    for (int round = 0; round < 2; ++round) {
        reply_stream page = redis.stream("GET", "page");
        std::string all;
        std::size_t chunks = 0;
        while (!page.done()) {
            const auto part = co_await page.next();
            EXPECT_TRUE(part) << part.error().message();
            if (part->what == kind::begin) {
                EXPECT_EQ(part->size, text.size());
            } else if (part->what == kind::chunk) {
                all += test::text_of(part->bytes);
                ++chunks;
            }
        }
        EXPECT_EQ(all, text);
        EXPECT_GT(chunks, 1U);
    }
    EXPECT_EQ(server.accepted, 1) << "the second takes over the first one's connection";
}

TEST(StreamingTest, ALongTextComesInChunks) { test::run_with_client(&a_long_text_comes_in_chunks); }

task<> an_array_comes_by_its_elements(test::fake_redis& server, client& redis) {
    answer_get_with(server, "*3\r\n:1\r\n*2\r\n:2\r\n:3\r\n$1\r\nx\r\n");
    reply_stream list = redis.stream("GET", "list");
    std::vector<resp::type> types;
    while (!list.done()) {
        const auto part = co_await list.next();
        if (part->what == kind::element) {
            types.push_back(part->view.kind());
        }
    }
    EXPECT_EQ(types, std::vector<resp::type>(
                         {resp::type::integer, resp::type::array, resp::type::bulk_string}));
}

TEST(StreamingTest, AnArrayComesByItsElements) {
    test::run_with_client(&an_array_comes_by_its_elements);
}

task<> short_replies_and_errors_are_one_part(test::fake_redis& server, client& redis) {
    answer_get_with(server, "$3\r\nabc\r\n");
    reply_stream text = redis.stream("GET", "a");
    const auto whole = co_await text.next();
    EXPECT_EQ(whole->what, kind::value);
    EXPECT_EQ(whole->view.text(), "abc");
    EXPECT_TRUE(text.done());
    answer_get_with(server, "-WRONGTYPE no\r\n");
    reply_stream wrong = redis.stream("GET", "a");
    EXPECT_EQ((co_await wrong.next()).error(), errc::wrong_type);
    EXPECT_TRUE(wrong.done());
}

TEST(StreamingTest, ShortRepliesAndErrorsAreOnePart) {
    test::run_with_client(&short_replies_and_errors_are_one_part);
}

task<> who_leaves_early_ends_the_connection(test::fake_redis& server, client& redis) {
    answer_get_with(server, test::bulk(test::pattern(1'000'000)));
    {
        reply_stream page = redis.stream("GET", "page");
        const auto first = co_await page.next();
        EXPECT_EQ(first->what, kind::begin);
    }
    co_await test::settle();
    EXPECT_EQ(server.connected(), 0U);
    EXPECT_EQ(co_await redis.command<std::string>("ECHO", "fine"), "fine");
}

TEST(StreamingTest, WhoLeavesEarlyEndsTheConnection) {
    test::run_with_client(&who_leaves_early_ends_the_connection);
}

task<> read_on(reply_stream& from, std::optional<error>& end) {
    while (!from.done()) {
        const auto part = co_await from.next();
        if (!part) {
            end = part.error();
        }
    }
}

task<> a_lost_connection_ends_it(test::fake_redis& server, client& redis) {
    answer_get_with(server, "$100000\r\nbegin");
    reply_stream page = redis.stream("GET", "page");
    std::optional<error> end;
    scope s;
    s.spawn(read_on(page, end));
    co_await test::settle();
    EXPECT_FALSE(end);
    server.drop();
    co_await s.join();
    EXPECT_TRUE(end && *end == errc::connection_lost);
}

TEST(StreamingTest, ALostConnectionEndsIt) { test::run_with_client(&a_lost_connection_ends_it); }

task<> a_stopped_reader_ends_it(test::fake_redis& server, client& redis) {
    answer_get_with(server, "$100000\r\nbegin");
    reply_stream page = redis.stream("GET", "page");
    std::optional<error> end;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, read_on(page, end)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    EXPECT_TRUE(end && end->code() == std::errc::operation_canceled);
}

TEST(StreamingTest, AStoppedReaderEndsIt) { test::run_with_client(&a_stopped_reader_ends_it); }

task<> a_part_that_is_read_keeps_an_idle_connection() {
    test::fake_redis server;
    answer_get_with(server, "$3\r\nabc\r\n");
    scope s;
    s.spawn(server.run());
    {
        client_options options = server.options();
        options.idle_timeout = std::chrono::seconds(1);
        client redis(options);
        reply_stream text = redis.stream("GET", "a");
        const auto whole = co_await text.next();
        EXPECT_TRUE(text.done());
        co_await sleep_for(std::chrono::seconds(5));
        EXPECT_EQ(server.connected(), 1U);
        EXPECT_EQ(whole->view.text(), "abc");
    }
    server.stop();
    co_await s.join();
}

TEST(StreamingTest, APartThatIsReadKeepsAnIdleConnection) {
    test::run_test(a_part_that_is_read_keeps_an_idle_connection());
}

}  // namespace
}  // namespace weir::redisq
