// Bytes of a peer that are no RESP, or too much of it: one clear error each, at the byte that is
// wrong, wherever the bytes were cut.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <weir/redisq/resp/parser.hpp>

#include "support/resp.hpp"

namespace {

using namespace std::string_view_literals;
using weir::redisq::resp::limits;
using weir::redisq::resp::parser;
using weir::test::parse;
using weir::test::parse_in_pieces;
using weir::test::parsed;
using weir::test::receive;

// Alone, and behind a reply, in one piece and in all others.
void expect_error(std::string_view bytes, std::size_t offset, std::string_view reason,
                  const limits& allowed = {}) {
    const std::string_view first = "+OK\r\n";
    const std::string after_one = std::string(first) + std::string(bytes);
    const auto message = [&](std::size_t before) {
        return "protocol error at byte " + std::to_string(before + offset) + ": " +
               std::string(reason);
    };
    EXPECT_EQ(parse(bytes, allowed), (parsed{{}, message(0)})) << bytes;
    for (std::size_t piece = 1; piece <= after_one.size(); ++piece) {
        EXPECT_EQ(parse_in_pieces(after_one, piece, allowed), (parsed{{"+OK"}, message(5)}))
            << bytes << " in pieces of " << piece;
    }
}

void expect_errors(
    const std::vector<std::tuple<std::string_view, std::size_t, std::string_view>>& cases) {
    for (const auto& [bytes, offset, reason] : cases) {
        expect_error(bytes, offset, reason);
        // Nested it is as wrong.
        const std::string nested = "*2\r\n:1\r\n" + std::string(bytes);
        EXPECT_EQ(
            parse_in_pieces(nested, 1).error,
            "protocol error at byte " + std::to_string(8 + offset) + ": " + std::string(reason))
            << nested;
    }
}

TEST(RespBadInputTest, AnUnknownTypeByteIsNamed) {
    expect_errors({{"?1\r\n", 0, "unknown type byte 0x3f '?'"},
                   {"\r\n", 0, "unknown type byte 0x0d"},
                   {"\0\r\n"sv, 0, "unknown type byte 0x00"},
                   {"\xff\r\n", 0, "unknown type byte 0xff"},
                   {"HTTP/1.1 400 Bad Request\r\n", 0, "unknown type byte 0x48 'H'"},
                   {"\x15\x03\x01\x00\x02"sv, 0, "unknown type byte 0x15"},
                   {";1\r\n", 0, "unknown type byte 0x3b ';'"},
                   {".\r\n", 0, "unknown type byte 0x2e '.'"}});
}

TEST(RespBadInputTest, LengthsHaveOneForm) {
    constexpr std::string_view plain = "allowed: digits without a sign and without leading zeros";
    const std::string sign = "length +3, " + std::string(plain);
    const std::string zeros = "length 007, " + std::string(plain);
    const std::string zero = "length 00, " + std::string(plain);
    expect_errors({{"$-2\r\n", 1, "length -2, allowed: -1 or 0 and more"},
                   {"*-2\r\n", 1, "length -2, allowed: -1 or 0 and more"},
                   {"%-1\r\n", 1, "length -1, allowed: 0 and more"},
                   {"~-1\r\n", 1, "length -1, allowed: 0 and more"},
                   {">-1\r\n", 1, "length -1, allowed: 0 and more"},
                   {"!-1\r\n", 1, "length -1, allowed: 0 and more"},
                   {"=-1\r\n", 1, "length -1, allowed: 0 and more"},
                   {"$-0\r\n", 1, "length -0, allowed: -1 or 0 and more"},
                   {"$-01\r\n", 1, "length -01, allowed: -1 or 0 and more"},
                   {"$-\r\n", 1, "length -, allowed: -1 or 0 and more"},
                   {"$+3\r\nabc\r\n", 1, sign},
                   {"$007\r\nabcdefg\r\n", 1, zeros},
                   {"*00\r\n", 1, zero},
                   {"$ 3\r\nabc\r\n", 1, "0x20 instead of CR LF in a length"},
                   {"$3 \r\nabc\r\n", 2, "0x20 instead of CR LF in a length"},
                   {"*1a\r\n", 2, "0x61 'a' instead of CR LF in a length"},
                   {"$3\n", 2, "0x0a instead of CR LF in a length"},
                   {"$3\rx", 3, "0x78 'x' instead of CR LF in a length"},
                   {"$\r\n", 1, "a length is missing"},
                   {"*\r\n", 1, "a length is missing"}});
}

TEST(RespBadInputTest, LengthsThatOverflowAreBeyondTheLimit) {
    const std::string most = " bytes, allowed: 0 to 67108864 (limits.bulk_bytes_max)";
    for (const std::string length : {"67108865", "4294967296", "4294967299", "9223372036854775808",
                                     "18446744073709551616", "99999999999999999999"}) {
        expect_error("$" + length + "\r\n", 0, length + most);
    }
    const std::string elements = " elements, allowed: 0 to 1048576 (limits.elements_max)";
    for (const std::string length :
         {"1048577", "2147483648", "9223372036854775808", "18446744073709551617"}) {
        for (const char* const mark : {"*", "~", ">", "%", "|"}) {
            expect_error(mark + length + "\r\n", 0, length + elements);
        }
    }
    // A pair is two elements.
    expect_error("%524289\r\n", 0, "524289" + elements);
    expect_error("$" + std::string(40, '1'), 1, "a length of more than 20 characters");
}

TEST(RespBadInputTest, LinesEndWithCrLf) {
    expect_errors(
        {{"+OK\n+OK\r\n", 3, "0x0a instead of CR LF in a line"},
         {"+a\rb\r\n", 3, "0x62 'b' instead of CR LF in a line"},
         {"-ERR\n", 4, "0x0a instead of CR LF in a line"},
         {":1\n", 2, "0x0a instead of CR LF in a line"},
         {"+a long line of text that has no end\n", 36, "0x0a instead of CR LF in a line"},
         {"$3\r\nabcd\r\n", 7, "0x64 'd' instead of CR LF behind a string of the declared length"},
         {"$0\r\n+O", 4, "0x2b '+' instead of CR LF behind a string of the declared length"},
         {"$3\r\nab\r\n+", 7, "0x0a instead of CR LF behind a string of the declared length"}});
}

TEST(RespBadInputTest, ValuesHaveTheirForm) {
    expect_errors({{":\r\n", 1, "no valid integer"},
                   {":-\r\n", 1, "no valid integer"},
                   {":1 \r\n", 1, "no valid integer"},
                   {":01\r\n", 1, "no valid integer"},
                   {":1.5\r\n", 1, "no valid integer"},
                   {":--1\r\n", 1, "no valid integer"},
                   {":9223372036854775808\r\n", 1, "an integer of more than 64 bits"},
                   {":-9223372036854775809\r\n", 1, "an integer of more than 64 bits"},
                   {"#\r\n", 1, "no valid boolean"},
                   {"#T\r\n", 1, "no valid boolean"},
                   {"#true\r\n", 1, "no valid boolean"},
                   {"_x\r\n", 1, "no valid null"},
                   {",\r\n", 1, "no valid double"},
                   {",1,5\r\n", 1, "no valid double"},
                   {",0x10\r\n", 1, "no valid double"},
                   {",infinite\r\n", 1, "no valid double"},
                   {",1e\r\n", 1, "no valid double"},
                   {",1e999\r\n", 1, "no valid double"},
                   {"(\r\n", 1, "no valid big number"},
                   {"(12a\r\n", 1, "no valid big number"}});
    constexpr std::string_view format =
        "a verbatim string that does not begin with a format of three characters and a colon";
    expect_errors({{"=3\r\nabc\r\n", 4, format}, {"=5\r\nabcde\r\n", 4, format}});
}

TEST(RespBadInputTest, StreamedTypesAreRefused) {
    constexpr std::string_view refused = "a streamed string or aggregate, which is not supported";
    expect_errors({{"$?\r\n", 1, refused},
                   {"*?\r\n", 1, refused},
                   {"%?\r\n", 1, refused},
                   {"~?\r\n", 1, refused}});
}

TEST(RespBadInputTest, APushStandsBetweenRepliesOnly) {
    constexpr std::string_view push = ">1\r\n+x\r\n";
    EXPECT_EQ(parse_in_pieces(std::string(push) + ":1\r\n" + std::string(push) + ":2\r\n", 1),
              (parsed{{">[+x]", "1", ">[+x]", "2"}, ""}));
    expect_error("*2\r\n:1\r\n>1\r\n+x\r\n", 8, "a push inside another reply");
    expect_error("%1\r\n>1\r\n+x\r\n", 4, "a push inside another reply");
    expect_error("|1\r\n>1\r\n+x\r\n", 4, "a push inside another reply");
    expect_error(">0\r\n", 0, "a push without elements");
}

TEST(RespBadInputTest, AttributesStandBeforeAReply) {
    EXPECT_EQ(parse_in_pieces("|1\r\n+a\r\n:1\r\n>1\r\n+x\r\n", 1), (parsed{{"|[+a,1]>[+x]"}, ""}));
    expect_error("|0\r\n|0\r\n", 4, "attributes of attributes");
    expect_error("|1\r\n+a\r\n:1\r\n|1\r\n+a\r\n:1\r\n", 12, "attributes of attributes");
}

TEST(RespBadInputTest, DepthHasALimit) {
    const auto nested = [](std::size_t depth) {
        std::string bytes;
        for (std::size_t i = 0; i != depth; ++i) {
            bytes += i % 2 == 0 ? "*1\r\n" : "%1\r\n+k\r\n";
        }
        return bytes;
    };
    EXPECT_EQ(parse_in_pieces(nested(32) + ":1\r\n:1\r\n", 1).error, "");
    EXPECT_EQ(parse(nested(32) + ":1\r\n").replies.size(), 1U);
    const std::string bytes = nested(33);
    expect_error(bytes, bytes.size() - 4,
                 "more than 32 aggregates inside each other (limits.depth_max)");
    // What is empty holds nothing, so it is no level.
    EXPECT_EQ(parse(nested(32) + "*0\r\n").replies.size(), 1U);
    // A million levels are the same error.
    std::string deep;
    for (int i = 0; i != 1'000'000; ++i) {
        deep += "*1\r\n";
    }
    EXPECT_EQ(parse(deep).error,
              "protocol error at byte 128: more than 32 aggregates inside each other "
              "(limits.depth_max)");
}

TEST(RespBadInputTest, LinesHaveALimit) {
    limits allowed;
    allowed.line_bytes_max = 64;
    EXPECT_EQ(parse_in_pieces("+" + std::string(64, 'x') + "\r\n", 1, allowed).replies.size(), 1U);
    constexpr std::string_view reason =
        "a line that goes on beyond 64 bytes (limits.line_bytes_max)";
    expect_error("+" + std::string(65, 'x') + "\r\n", 65, reason, allowed);
    expect_error("-" + std::string(200, 'x'), 65, reason, allowed);
    EXPECT_EQ(parse("+" + std::string(65'536, 'x') + "\r\n").replies.size(), 1U);
    EXPECT_EQ(parse("+" + std::string(65'537, 'x') + "\r\n").error,
              "protocol error at byte 65537: a line that goes on beyond 65536 bytes "
              "(limits.line_bytes_max)");
}

TEST(RespBadInputTest, BulksAndRepliesHaveALimit) {
    limits allowed;
    allowed.bulk_bytes_max = 10;
    allowed.reply_bytes_max = 64;
    const std::string ten = "$10\r\n0123456789\r\n";
    EXPECT_EQ(parse_in_pieces(ten, 1, allowed).replies.size(), 1U);
    expect_error("$11\r\n", 0, "11 bytes, allowed: 0 to 10 (limits.bulk_bytes_max)", allowed);
    EXPECT_EQ(parse_in_pieces("*3\r\n" + ten + ten + ten, 1, allowed).replies.size(), 1U);
    const std::string beyond = "*4\r\n" + ten + ten + ten + ten;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, beyond.size()}) {
        EXPECT_EQ(parse_in_pieces(beyond, piece, allowed).error,
                  "protocol error at byte 64: a reply that goes on beyond 64 bytes "
                  "(limits.reply_bytes_max)");
    }
}

TEST(RespBadInputTest, AnErrorIsForGood) {
    parser replies;
    receive(replies, "?");
    EXPECT_FALSE(replies.next().has_value());
    receive(replies, "+OK\r\n");
    EXPECT_EQ(replies.next().error().offset, 0U);
    replies.reset();
    receive(replies, "+OK\r\n");
    EXPECT_EQ(replies.next().value().value().text(), "OK");
}

TEST(RespBadInputTest, TheEndOfAStreamAtAnyByteGivesWholeRepliesOnly) {
    const std::string bytes =
        "%1\r\n+k\r\n*2\r\n$3\r\nabc\r\n=7\r\ntxt:abc\r\n|1\r\n+a\r\n,1.5\r\n(12\r\n!3\r\nERR\r\n$-"
        "1\r\n";
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        const parsed cut = parse_in_pieces(std::string_view(bytes).substr(0, length), 3);
        EXPECT_EQ(cut.error, "");
        EXPECT_LE(cut.replies.size(), 4U);
    }
    EXPECT_EQ(parse(bytes).replies,
              (std::vector<std::string>{"%[+k,[\"abc\",=txt:abc]]", "|[+a,1.500000](12", "!ERR",
                                        "null"}));
}

TEST(RespBadInputTest, ErrorsOfTheServerAreReplies) {
    for (const std::string word :
         {"ERR x", "NOAUTH Authentication required.", "WRONGPASS x", "NOPERM x", "MOVED 1 h:1",
          "ASK 1 h:1", "TRYAGAIN x", "CLUSTERDOWN x", "LOADING x", "READONLY x", "BUSY x",
          "MASTERDOWN x", "OOM x", "NOSCRIPT x"}) {
        EXPECT_EQ(parse_in_pieces("-" + word + "\r\n", 1), (parsed{{"-" + word}, ""}));
    }
}

}  // namespace
