#include <weir/redisq/resp/parser.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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

}  // namespace
