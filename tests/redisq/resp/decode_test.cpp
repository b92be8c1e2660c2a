#include <weir/redisq/resp/decode.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/resp.hpp"

namespace people {

struct user {
    std::string name;
    std::optional<int> age;
};

auto decode_fields(user& into) {
    return std::tuple(weir::redisq::resp::field("name", into.name),
                      weir::redisq::resp::field("age", into.age));
}

}  // namespace people

namespace {

using namespace std::string_view_literals;
using weir::redisq::resp::decode;
using weir::redisq::resp::parser;
using weir::redisq::resp::reply;
using weir::redisq::resp::reply_view;

reply kept(std::string_view bytes) {
    parser replies;
    weir::test::receive(replies, bytes);
    if (!replies.next().value().has_value()) {
        ADD_FAILURE() << "not a whole reply: " << bytes;
        return {};
    }
    return replies.take();
}

// The value of bytes, which has to be one.
template <class T>
T decoded(std::string_view bytes) {
    auto value = decode<T>(kept(bytes).view());
    EXPECT_TRUE(value.has_value()) << bytes << ": " << value.error().message();
    return value ? std::move(*value) : T();
}

template <class T>
std::string error_of(std::string_view bytes) {
    const auto value = decode<T>(kept(bytes).view());
    return value ? "no error" : value.error().message();
}

TEST(RespDecodeTest, IntegersComeFromNumbersAndTexts) {
    EXPECT_EQ(decoded<int>(":-7\r\n"), -7);
    EXPECT_EQ(decoded<std::int64_t>("$20\r\n-9223372036854775808\r\n"), INT64_MIN);
    EXPECT_EQ(decoded<std::uint64_t>("$20\r\n18446744073709551615\r\n"), UINT64_MAX);
    EXPECT_EQ(decoded<unsigned>("+12\r\n"), 12U);
    EXPECT_EQ(decoded<int>("#t\r\n"), 1);
}

TEST(RespDecodeTest, AnIntegerBeyondItsTypeIsAnErrorThatNamesTheType) {
    EXPECT_EQ(error_of<std::int8_t>(":128\r\n"),
              "expected an integer of 8 bits, got an integer beyond its range");
    EXPECT_EQ(error_of<unsigned>(":-1\r\n"),
              "expected an unsigned integer of 32 bits, got an integer beyond its range");
    EXPECT_EQ(error_of<std::uint64_t>("$2\r\n-1\r\n"),
              "expected an unsigned integer of 64 bits, got an integer beyond its range");
    EXPECT_EQ(error_of<int>("$20\r\n99999999999999999999\r\n"),
              "expected an integer of 32 bits, got an integer beyond its range");
}

TEST(RespDecodeTest, AWrongTypeIsAnErrorThatNamesBoth) {
    EXPECT_EQ(error_of<int>("$3\r\n12x\r\n"),
              "expected an integer of 32 bits, got a bulk string of 3 bytes");
    EXPECT_EQ(error_of<int>("$0\r\n\r\n"),
              "expected an integer of 32 bits, got a bulk string of 0 bytes");
    EXPECT_EQ(error_of<std::string>("$-1\r\n"), "expected a text, got a null");
    EXPECT_EQ(error_of<std::string>(":1\r\n"), "expected a text, got an integer");
    EXPECT_EQ(error_of<bool>(":2\r\n"), "expected a boolean, got an integer");
    EXPECT_EQ(error_of<double>("*0\r\n"),
              "expected a floating point number, got an array of 0 elements");
    EXPECT_EQ(error_of<std::vector<int>>("%1\r\n+a\r\n:1\r\n"),
              "element 0: expected an integer of 32 bits, got a simple string");
    EXPECT_EQ(error_of<std::string>("-ERR secret\r\n"), "expected a text, got an error");
    EXPECT_EQ(error_of<void>("-ERR secret\r\n"), "expected no error, got an error");
    EXPECT_EQ(error_of<std::optional<std::string>>(":1\r\n"), "expected a text, got an integer");
}

TEST(RespDecodeTest, FloatingPointNumbersComeFromNumbersAndTexts) {
    EXPECT_EQ(decoded<double>(",0.1\r\n"), 0.1);
    EXPECT_EQ(decoded<double>("$3\r\n0.1\r\n"), 0.1);
    EXPECT_EQ(decoded<float>(":3\r\n"), 3.0F);
    EXPECT_EQ(decoded<double>("$4\r\n-inf\r\n"), -HUGE_VAL);
    EXPECT_TRUE(std::isnan(decoded<double>(",nan\r\n")));
}

TEST(RespDecodeTest, BooleansComeFromBothProtocols) {
    EXPECT_TRUE(decoded<bool>("#t\r\n"));
    EXPECT_TRUE(decoded<bool>(":1\r\n"));
    EXPECT_FALSE(decoded<bool>(":0\r\n"));
    EXPECT_FALSE(decoded<bool>("$1\r\n0\r\n"));
}

TEST(RespDecodeTest, TextsKeepEveryByte) {
    EXPECT_EQ(decoded<std::string>("$4\r\na\r\n\0\r\n"sv), "a\r\n\0"sv);
    EXPECT_EQ(decoded<std::string>("=7\r\ntxt:abc\r\n"), "abc");
    const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
    EXPECT_EQ(decoded<std::vector<std::byte>>("$2\r\n\0\xff\r\n"sv), bytes);
    const reply whole = kept("+abc\r\n");
    EXPECT_EQ(decode<std::string_view>(whole.view()).value(), "abc");
}

TEST(RespDecodeTest, AnOptionalTakesANull) {
    EXPECT_EQ(decoded<std::optional<int>>("_\r\n"), std::nullopt);
    EXPECT_EQ(decoded<std::optional<int>>("$-1\r\n"), std::nullopt);
    EXPECT_EQ(decoded<std::optional<int>>(":1\r\n"), 1);
}

TEST(RespDecodeTest, ListsAndSetsTakeTheElements) {
    EXPECT_EQ(decoded<std::vector<std::optional<int>>>("*3\r\n:1\r\n$-1\r\n:3\r\n"),
              (std::vector<std::optional<int>>{1, std::nullopt, 3}));
    EXPECT_EQ(decoded<std::deque<int>>("~2\r\n:1\r\n:2\r\n"), (std::deque<int>{1, 2}));
    EXPECT_EQ(decoded<std::vector<bool>>("*2\r\n:1\r\n:0\r\n"), (std::vector<bool>{true, false}));
    EXPECT_EQ(decoded<std::set<std::string>>("*2\r\n+b\r\n+a\r\n"),
              (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(decoded<std::vector<std::vector<int>>>("*2\r\n*1\r\n:1\r\n*0\r\n"),
              (std::vector<std::vector<int>>{{1}, {}}));
}

TEST(RespDecodeTest, PairsComeAsAMapByTurnsOrAsPairs) {
    const std::map<std::string, int> expected{{"a", 1}, {"b", 2}};
    const std::string_view forms[] = {"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
                                      "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
                                      "*2\r\n*2\r\n+a\r\n:1\r\n*2\r\n+b\r\n:2\r\n"};
    for (const std::string_view bytes : forms) {
        EXPECT_EQ((decoded<std::map<std::string, int>>(bytes)), expected);
        EXPECT_EQ((decoded<std::unordered_map<std::string, int>>(bytes).at("b")), 2);
        EXPECT_EQ((decoded<std::vector<std::pair<std::string, int>>>(bytes).at(0).second), 1);
    }
    EXPECT_EQ((decoded<std::map<std::string, int>>("*0\r\n")), (std::map<std::string, int>{}));
    EXPECT_EQ((decoded<std::map<std::string, int>>("%2\r\n+a\r\n:1\r\n+a\r\n:2\r\n").at("a")), 2);
}

TEST(RespDecodeTest, AnOddCountIsNoMap) {
    EXPECT_EQ((error_of<std::map<std::string, int>>("*3\r\n+a\r\n:1\r\n+b\r\n")),
              "expected a map of a text to an integer of 32 bits, got an array of 3 elements");
    EXPECT_EQ((error_of<std::map<std::string, int>>("*1\r\n*3\r\n+a\r\n:1\r\n+b\r\n")),
              "element 0: expected a pair, got an array of 3 elements");
    EXPECT_EQ((error_of<std::map<std::string, int>>("%1\r\n+a\r\n+b\r\n")),
              "element 1: expected an integer of 32 bits, got a simple string");
}

TEST(RespDecodeTest, TuplesPairsAndArraysHaveExactlySoManyElements) {
    using entry = std::tuple<std::string, std::map<std::string, std::string>, int>;
    EXPECT_EQ(decoded<entry>("*3\r\n+1-0\r\n*2\r\n+k\r\n+v\r\n:5\r\n"),
              entry("1-0", {{"k", "v"}}, 5));
    EXPECT_EQ((decoded<std::pair<int, std::string>>("*2\r\n:1\r\n+a\r\n")),
              (std::pair<int, std::string>(1, "a")));
    EXPECT_EQ((decoded<std::array<int, 2>>("*2\r\n:1\r\n:2\r\n")), (std::array{1, 2}));
    EXPECT_EQ((error_of<std::pair<int, int>>("*3\r\n:1\r\n:2\r\n:3\r\n")),
              "expected 2 elements, got an array of 3 elements");
    EXPECT_EQ((error_of<std::array<int, 2>>("*2\r\n:1\r\n+x\r\n")),
              "element 1: expected an integer of 32 bits, got a simple string");
}

TEST(RespDecodeTest, AStructTakesItsFieldsByName) {
    const auto all = decoded<people::user>("%3\r\n+age\r\n:30\r\n+x\r\n:1\r\n+name\r\n+Ann\r\n");
    EXPECT_EQ(all.name, "Ann");
    EXPECT_EQ(all.age, 30);
    EXPECT_EQ(decoded<people::user>("*2\r\n+name\r\n+Bob\r\n").age, std::nullopt);
    EXPECT_EQ(decoded<std::vector<people::user>>("*1\r\n*2\r\n+name\r\n+Bob\r\n").at(0).name,
              "Bob");
}

TEST(RespDecodeTest, AFieldThatIsMissingOrWrongIsNamed) {
    EXPECT_EQ(error_of<people::user>("%1\r\n+age\r\n:30\r\n"), "field 'name' is missing");
    EXPECT_EQ(error_of<people::user>("%1\r\n+name\r\n:30\r\n"),
              "field 'name': expected a text, got an integer");
    EXPECT_EQ(error_of<people::user>("*1\r\n:1\r\n"),
              "expected pairs of names and values, got an array of 1 elements");
}

TEST(RespDecodeTest, RepliesAreTakenAsTheyAre) {
    const reply whole = kept("*2\r\n-ERR x\r\n*1\r\n:1\r\n");
    EXPECT_EQ(decode<std::vector<reply_view>>(whole.view()).value().at(0).text(), "ERR x");
    const std::vector<reply> copies = decode<std::vector<reply>>(whole.view()).value();
    EXPECT_EQ(weir::test::text_of(copies.at(1).view()), "[1]");
    EXPECT_TRUE(decode<void>(whole.view()).has_value());
}

}  // namespace
