#include <weir/redisq/resp/stream_event.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <weir/redisq/resp/parser.hpp>

#include "support/resp.hpp"

namespace {

using weir::redisq::resp::limits;
using weir::redisq::resp::name;
using weir::redisq::resp::parser;
using weir::redisq::resp::stream_event;
using weir::test::receive;
using weir::test::text_of;

// One line an event; chunks behind each other are one.
std::string line_of(const stream_event& part, bool& in_chunks) {
    const bool goes_on = std::exchange(in_chunks, part.what == stream_event::kind::chunk);
    switch (part.what) {
        case stream_event::kind::value:
            return "value " + text_of(part.view) + "\n";
        case stream_event::kind::begin:
            return "begin " + std::string(name(part.type)) + " " + std::to_string(part.size) + "\n";
        case stream_event::kind::element:
            return "element " + text_of(part.view) + "\n";
        case stream_event::kind::chunk:
            return (goes_on ? "" : "chunk ") +
                   std::string(reinterpret_cast<const char*>(part.bytes.data()), part.bytes.size());
        default:
            return goes_on ? "\nend\n" : "end\n";
    }
}

std::string events(std::string_view bytes, std::size_t piece_bytes, const limits& allowed = {}) {
    parser replies(allowed);
    std::string out;
    bool in_chunks = false;
    while (!bytes.empty()) {
        receive(replies, bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
        while (true) {
            const auto next = replies.next_event();
            if (!next) {
                return out + next.error().message();
            }
            if (!*next) {
                break;
            }
            out += line_of(**next, in_chunks);
        }
    }
    return out;
}

void expect_events(std::string_view bytes, const std::string& expected,
                   const limits& allowed = {}) {
    for (std::size_t piece = 1; piece <= std::min<std::size_t>(bytes.size(), 40); ++piece) {
        EXPECT_EQ(events(bytes, piece, allowed), expected) << "in pieces of " << piece;
    }
    EXPECT_EQ(events(bytes, bytes.size(), allowed), expected);
}

TEST(StreamEventTest, AnAggregateComesElementByElement) {
    expect_events(
        "*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n$1\r\nb\r\n%1\r\n+k\r\n|1\r\n+a\r\n_\r\n:2\r\n~1\r\n:3\r\n+"
        "OK\r\n",
        "begin array 3\nelement 1\nelement [+a,[]]\nelement \"b\"\nend\n"
        "begin map 2\nelement +k\nelement |[+a,null]2\nend\n"
        "begin set 1\nelement 3\nend\nvalue +OK\n");
}

TEST(StreamEventTest, ALargeTextComesInChunks) {
    const std::string text(20'000, 'x');
    expect_events("$20000\r\n" + text + "\r\n:1\r\n",
                  "begin bulk string 20000\nchunk " + text + "\nend\nvalue 1\n");
}

TEST(StreamEventTest, EverythingElseIsOneValue) {
    expect_events("$3\r\nabc\r\n$-1\r\n*0\r\n-ERR x\r\n>1\r\n+x\r\n|1\r\n+k\r\n:1\r\n*1\r\n:2\r\n",
                  "value \"abc\"\nvalue null\nvalue []\nvalue -ERR x\nvalue >[+x]\n"
                  "value |[+k,1][2]\n");
}

TEST(StreamEventTest, ErrorsAreThoseOfWholeReplies) {
    expect_events(
        "*2\r\n:1\r\n>1\r\n",
        "begin array 2\nelement 1\nprotocol error at byte 8: a push inside another reply");
    expect_events("$20000\r\n" + std::string(20'000, 'x') + "yz",
                  "begin bulk string 20000\nchunk " + std::string(20'000, 'x') +
                      "protocol error at byte 20008: 0x79 'y' instead of CR LF behind a string of "
                      "the declared length");
    expect_events("*-2\r\n", "protocol error at byte 1: length -2, allowed: -1 or 0 and more");
    limits allowed;
    allowed.depth_max = 2;
    expect_events("*1\r\n*1\r\n*1\r\n",
                  "begin array 1\nprotocol error at byte 8: more than 2 aggregates inside each "
                  "other (limits.depth_max)",
                  allowed);
}

TEST(StreamEventTest, MemoryIsThatOfOnePieceHoweverLargeTheReply) {
    parser replies;
    receive(replies, "$60000000\r\n");
    std::size_t bytes = 0;
    const std::string piece(10'000, 'x');
    ASSERT_EQ(replies.next_event().value()->size, 60'000'000U);
    while (bytes != 60'000'000) {
        receive(replies, piece);
        bytes += replies.next_event().value()->bytes.size();
    }
    receive(replies, "\r\n*1000000\r\n");
    EXPECT_EQ(replies.next_event().value()->what, stream_event::kind::end);
    EXPECT_EQ(replies.next_event().value()->size, 1'000'000U);
    for (int i = 0; i < 1'000'000; i += 1'000) {
        std::string elements;
        for (int j = 0; j < 1'000; ++j) {
            elements += ":1\r\n";
        }
        receive(replies, elements);
        for (int j = 0; j < 1'000; ++j) {
            ASSERT_EQ(replies.next_event().value()->view.integer(), 1);
        }
    }
    EXPECT_EQ(replies.next_event().value()->what, stream_event::kind::end);
    EXPECT_LE(replies.memory(), 64'000U);
}

TEST(StreamEventTest, AnElementMayBeKept) {
    parser replies;
    receive(replies, "*1\r\n$3\r\nabc\r\n");
    static_cast<void>(replies.next_event());
    static_cast<void>(replies.next_event());
    const auto kept = replies.take();
    EXPECT_EQ(replies.next_event().value()->what, stream_event::kind::end);
    EXPECT_EQ(kept.view().text(), "abc");
}

TEST(StreamEventTest, AReplyThatHasBegunWholeIsOneValue) {
    parser replies;
    receive(replies, "*2\r\n:1\r\n");
    EXPECT_FALSE(replies.next().value().has_value());
    EXPECT_FALSE(replies.next_event().value().has_value());
    receive(replies, ":2\r\n");
    EXPECT_EQ(text_of(replies.next_event().value()->view), "[1,2]");
}

TEST(StreamEventDeathTest, NextIsNotCalledInsideAStreamedReply) {
    parser replies;
    receive(replies, "*1\r\n");
    static_cast<void>(replies.next_event());
    EXPECT_DEATH(static_cast<void>(replies.next()), "streamed reply");
}

}  // namespace
