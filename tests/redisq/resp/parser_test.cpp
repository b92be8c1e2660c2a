#include <weir/redisq/resp/parser.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/allocations.hpp"
#include "support/resp.hpp"

namespace {

using weir::redisq::resp::parser;
using weir::test::parse;
using weir::test::parse_in_pieces;
using weir::test::parsed;
using weir::test::receive;
using weir::test::text_of;

struct example {
    std::string_view bytes;
    std::string_view text;
};

const std::vector<example> examples = {
    {"+OK\r\n", "+OK"},
    {"+\r\n", "+"},
    {"-ERR no\r\n", "-ERR no"},
    {":0\r\n", "0"},
    {":-1\r\n", "-1"},
    {":+12\r\n", "12"},
    {":9223372036854775807\r\n", "9223372036854775807"},
    {":-9223372036854775808\r\n", "-9223372036854775808"},
    {"$0\r\n\r\n", "\"\""},
    {"$5\r\na\r\nbc\r\n", "\"a\r\nbc\""},
    {"$-1\r\n", "null"},
    {"*-1\r\n", "null"},
    {"_\r\n", "null"},
    {"#t\r\n", "true"},
    {"#f\r\n", "false"},
    {",1.5\r\n", "1.500000"},
    {",-2e3\r\n", "-2000.000000"},
    {",inf\r\n", "inf"},
    {",-inf\r\n", "-inf"},
    {",nan\r\n", "nan"},
    {"(3492890328409238509324850943850943825024385\r\n",
     "(3492890328409238509324850943850943825024385"},
    {"!8\r\nERR a\r\nb\r\n", "!ERR a\r\nb"},
    {"=7\r\ntxt:abc\r\n", "=txt:abc"},
    {"*0\r\n", "[]"},
    {"*3\r\n:1\r\n*2\r\n+a\r\n$1\r\nb\r\n*0\r\n", "[1,[+a,\"b\"],[]]"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n%1\r\n:2\r\n_\r\n", "%[+a,1,+b,%[2,null]]"},
    {"~2\r\n:1\r\n:2\r\n", "~[1,2]"},
    {">2\r\n+message\r\n+x\r\n", ">[+message,+x]"},
    {"|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n", "|[+ttl,5]\"v\""},
    {"|0\r\n+v\r\n", "|[]+v"},
    {"*2\r\n|1\r\n+k\r\n*1\r\n:1\r\n:7\r\n:8\r\n", "[|[+k,[1]]7,8]"},
    {"*1\r\n|1\r\n+k\r\n*1\r\n:1\r\n*1\r\n:8\r\n", "[|[+k,[1]][8]]"},
};

TEST(RespParserTest, EveryTypeIsReadWholeAndByteByByte) {
    for (const example& each : examples) {
        const parsed expected{{std::string(each.text)}, ""};
        EXPECT_EQ(parse(each.bytes), expected) << each.bytes;
        EXPECT_EQ(parse_in_pieces(each.bytes, 1), expected) << each.bytes;
    }
}

TEST(RespParserTest, RepliesBehindEachOtherMayBeCutAnywhere) {
    std::string bytes;
    parsed expected;
    for (const example& each : examples) {
        bytes += each.bytes;
        expected.replies.emplace_back(each.text);
    }
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        EXPECT_EQ(parse_in_pieces(bytes, piece), expected) << "in pieces of " << piece;
    }
}

TEST(RespParserTest, AReplyIsPendingUntilItsLastByteHasCome) {
    parser replies;
    receive(replies, "$3\r\nabc\r");
    EXPECT_FALSE(replies.next().value().has_value());
    EXPECT_EQ(replies.position(), 0U);
    EXPECT_EQ(replies.buffered(), 8U);
    receive(replies, "\n+");
    EXPECT_EQ(replies.next().value().value().text(), "abc");
    EXPECT_EQ(replies.position(), 9U);
    EXPECT_EQ(replies.buffered(), 1U);
    EXPECT_FALSE(replies.next().value().has_value());
}

TEST(RespParserTest, AWarmParserAllocatesNothing) {
    std::string bytes;
    for (const example& each : examples) {
        bytes += each.bytes;
    }
    bytes += "*1000\r\n";
    for (int i = 0; i < 1'000; ++i) {
        bytes += "$64\r\n" + std::string(64, 'v') + "\r\n";
    }
    parser replies;
    for (int round = 0; round < 5; ++round) {
        const weir::test::allocation_counter counter;
        for (std::size_t at = 0; at < bytes.size(); at += 5'000) {
            receive(replies, std::string_view(bytes).substr(at, 5'000));
            while (replies.next().value()) {
            }
        }
        if (round != 0) {
            EXPECT_EQ(counter.allocations(), 0U);
        }
    }
}

TEST(RespParserTest, MemoryFollowsTheBytesThatHaveComeNotTheDeclaredLengths) {
    for (const std::string_view declared : {"*1048576\r\n", "$67108864\r\n", "%524288\r\n",
                                            "*1000000\r\n*1000000\r\n$60000000\r\nx"}) {
        parser replies;
        receive(replies, declared);
        EXPECT_FALSE(replies.next().value().has_value());
        EXPECT_LE(replies.prepare(1).size(), 16U << 10);
        EXPECT_LE(replies.memory(), (16U << 10) + 64 * 16) << declared;
    }
}

TEST(RespParserTest, TheRoomForALargeTextDoubles) {
    parser replies;
    receive(replies, "$1000000\r\n");
    EXPECT_FALSE(replies.next().value().has_value());
    std::size_t received = 0;
    std::size_t calls = 0;
    const weir::test::allocation_counter counter;
    while (received < 1'000'002) {
        const std::span<std::byte> room = replies.prepare(1);
        EXPECT_GE(room.size(), std::min<std::size_t>(received, 1'000'002 - received));
        const std::size_t count = std::min(room.size(), 1'000'002 - received);
        std::fill_n(room.begin(), count, std::byte{'x'});
        received += count;
        if (received == 1'000'002) {
            std::memcpy(room.data() + count - 2, "\r\n", 2);
        }
        replies.commit(count);
        ++calls;
        EXPECT_LE(replies.memory(), std::max<std::size_t>(4 * received, 32U << 10));
    }
    EXPECT_EQ(replies.next().value().value().text().size(), 1'000'000U);
    EXPECT_LE(counter.allocations(), 7U);
    EXPECT_LE(calls, 8U);
}

TEST(RespParserTest, MemoryShrinksWhenAPeakHasPassed) {
    parser replies;
    std::string peak = "*50000\r\n";
    for (int i = 0; i < 50'000; ++i) {
        peak += "$64\r\n" + std::string(64, 'v') + "\r\n";
    }
    receive(replies, peak);
    ASSERT_TRUE(replies.next().value().has_value());
    EXPECT_GT(replies.memory(), 4'000'000U);
    for (int i = 0; i < 1'000; ++i) {
        receive(replies, "+OK\r\n");
        ASSERT_TRUE(replies.next().value().has_value());
    }
    EXPECT_LE(replies.memory(), 64'000U);
}

TEST(RespParserTest, AFailingAllocationLosesNothing) {
    const std::string bytes = "*200\r\n" + [] {
        std::string elements;
        for (int i = 0; i < 100; ++i) {
            elements += "|1\r\n+k\r\n:1\r\n$300\r\n" + std::string(300, 'x') + "\r\n:5\r\n";
        }
        return elements;
    }();
    const std::string expected = parse(bytes).replies.at(0);
    bool failed = true;
    for (std::size_t after = 0; failed; ++after) {
        ASSERT_LT(after, 100U);
        parser replies;
        std::optional<weir::test::allocation_failure> failure(std::in_place, after);
        std::string_view rest = bytes;
        std::string got;
        while (got.empty()) {
            try {
                if (!rest.empty()) {
                    const std::string_view piece = rest.substr(0, 1'000);
                    receive(replies, piece);
                    rest.remove_prefix(piece.size());
                }
                if (const auto next = replies.next().value()) {
                    failed = failure->triggered();
                    failure.reset();
                    got = text_of(*next);
                }
            } catch (const std::bad_alloc&) {
                continue;
            }
        }
        EXPECT_EQ(got, expected);
    }
}

TEST(RespParserTest, ALongLineThatComesByteByByteIsLookedThroughOnce) {
    // Looked through anew each time, it would be 2 * 10^9 bytes.
    EXPECT_EQ(parse_in_pieces("+" + std::string(65'000, 'x') + "\r\n", 1).replies.at(0).size(),
              65'001U);
}

TEST(RespParserTest, ResetForgetsWhatHasComeAndKeepsTheMemory) {
    parser replies;
    receive(replies, "*2\r\n:1\r\n*1\r\n");
    EXPECT_FALSE(replies.next().value().has_value());
    replies.reset();
    EXPECT_EQ(replies.buffered(), 0U);
    const weir::test::allocation_counter counter;
    receive(replies, ":7\r\n");
    EXPECT_EQ(replies.next().value().value().integer(), 7);
    EXPECT_EQ(replies.position(), 4U);
    EXPECT_EQ(counter.allocations(), 0U);
}

TEST(RespParserDeathTest, CommitTakesNoMoreThanTheRoom) {
    parser replies;
    const std::size_t room = replies.prepare(1).size();
    EXPECT_DEATH(replies.commit(room + 1), "room");
}

}  // namespace
