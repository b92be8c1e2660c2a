#include <weir/redisq/resp/encoder.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/allocations.hpp"

namespace {

using namespace std::string_view_literals;
using weir::redisq::resp::command_buffer;
using weir::redisq::resp::static_command;

std::string_view text_of(const command_buffer& commands) {
    return {reinterpret_cast<const char*>(commands.bytes().data()), commands.bytes().size()};
}

template <class... Arguments>
std::string encoded(const Arguments&... arguments) {
    command_buffer commands;
    commands.add(arguments...);
    EXPECT_EQ(commands.commands(), 1U);
    return std::string(text_of(commands));
}

TEST(CommandBufferTest, WordsBecomeBulkStrings) {
    EXPECT_EQ(encoded("PING"), "*1\r\n$4\r\nPING\r\n");
    EXPECT_EQ(encoded("SET", std::string("k"), "a\r\n\0b"sv),
              "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\n\0b\r\n"sv);
    EXPECT_EQ(encoded("ECHO", ""), "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n");
}

TEST(CommandBufferTest, LengthsOfAnySizeAreExact) {
    for (const std::size_t length : {9U, 10U, 99U, 100U, 999U, 1'000U, 65'536U, 1'234'567U}) {
        const std::string value(length, 'x');
        EXPECT_EQ(encoded("ECHO", value),
                  "*2\r\n$4\r\nECHO\r\n$" + std::to_string(length) + "\r\n" + value + "\r\n");
    }
}

TEST(CommandBufferTest, NumbersHaveTheirShortestForm) {
    EXPECT_EQ(encoded("E", 0, -7), "*3\r\n$1\r\nE\r\n$1\r\n0\r\n$2\r\n-7\r\n");
    EXPECT_EQ(encoded("E", std::numeric_limits<std::int64_t>::min()),
              "*2\r\n$1\r\nE\r\n$20\r\n-9223372036854775808\r\n");
    EXPECT_EQ(encoded("E", std::numeric_limits<std::uint64_t>::max()),
              "*2\r\n$1\r\nE\r\n$20\r\n18446744073709551615\r\n");
    EXPECT_EQ(encoded("E", 0.1, 1e300, -2.0F),
              "*4\r\n$1\r\nE\r\n$3\r\n0.1\r\n$6\r\n1e+300\r\n$2\r\n-2\r\n");
    EXPECT_EQ(encoded("E", std::numeric_limits<double>::denorm_min()),
              "*2\r\n$1\r\nE\r\n$6\r\n5e-324\r\n");
}

TEST(CommandBufferTest, BytesAreOneWord) {
    const std::array<std::byte, 2> bytes{std::byte{0}, std::byte{255}};
    EXPECT_EQ(encoded("E", bytes), "*2\r\n$1\r\nE\r\n$2\r\n\0\xff\r\n"sv);
    EXPECT_EQ(encoded("E", std::vector<unsigned char>{'a', 'b'}), "*2\r\n$1\r\nE\r\n$2\r\nab\r\n");
}

TEST(CommandBufferTest, RangesPairsAndTuplesAreFlattened) {
    const std::map<std::string, int> fields{{"a", 1}, {"b", 2}};
    EXPECT_EQ(encoded("H", fields), encoded("H", "a", 1, "b", 2));
    EXPECT_EQ(encoded("H", std::vector<std::string>{"x", "y"}, std::tuple("z", 3, 0.5)),
              encoded("H", "x", "y", "z", 3, 0.5));
    EXPECT_EQ(encoded("H", std::vector<int>{}), encoded("H"));
    EXPECT_EQ(encoded("H", std::vector<std::vector<int>>{{1}, {}, {2, 3}}), encoded("H", 1, 2, 3));
}

TEST(CommandBufferTest, StaticWordsEqualThoseEncodedLater) {
    static constexpr static_command<"XADD", "a key of more than ten", "*"> add;
    EXPECT_EQ(encoded(add, "field", 1), encoded("XADD", "a key of more than ten", "*", "field", 1));
    EXPECT_EQ(encoded(static_command<"PING">{}), encoded("PING"));
}

TEST(CommandBufferTest, CommandsStandBehindEachOther) {
    command_buffer commands;
    commands.add("A");
    commands.add("B", 1);
    command_buffer more;
    more.add("C");
    commands.append(more);
    EXPECT_EQ(commands.commands(), 3U);
    EXPECT_EQ(text_of(commands), encoded("A") + encoded("B", 1) + encoded("C"));
    commands.clear();
    EXPECT_TRUE(commands.empty());
    EXPECT_EQ(commands.commands(), 0U);
}

TEST(CommandBufferTest, AWarmBufferAllocatesNothing) {
    command_buffer commands;
    const std::string value(64, 'v');
    const std::vector<int> numbers{1, 2, 3};
    for (int round = 0; round < 3; ++round) {
        const weir::test::allocation_counter counter;
        for (int i = 0; i < 100; ++i) {
            commands.add("SET", "key", value, "EX", i, 0.5, numbers);
        }
        if (round != 0) {
            EXPECT_EQ(counter.allocations(), 0U);
        }
        commands.clear();
    }
}

TEST(CommandBufferTest, AMovedFromBufferIsEmpty) {
    command_buffer commands;
    commands.add("A");
    command_buffer taken(std::move(commands));
    EXPECT_EQ(text_of(taken), encoded("A"));
    EXPECT_TRUE(commands.empty());  // NOLINT(bugprone-use-after-move): the promise under test
    commands.add("B");
    EXPECT_EQ(text_of(commands), encoded("B"));
}

TEST(CommandBufferTest, MuchMemoryIsNotKept) {
    command_buffer commands;
    commands.add("E", std::string(command_buffer::bytes_kept_max, 'x'));
    EXPECT_GT(commands.capacity(), command_buffer::bytes_kept_max);
    commands.clear();
    EXPECT_EQ(commands.capacity(), 0U);
}

TEST(CommandBufferTest, OfWhatIsWipedNothingStays) {
    command_buffer commands;
    commands.add("AUTH", "hidden");
    const std::string_view memory(reinterpret_cast<const char*>(commands.bytes().data()),
                                  commands.capacity());
    EXPECT_NE(memory.find("hidden"), std::string_view::npos);
    commands.wipe();
    EXPECT_TRUE(commands.empty());
    EXPECT_EQ(memory.find("hidden"), std::string_view::npos);
    command_buffer().wipe();
}

TEST(CommandBufferTest, TooManyWordsAreRefusedAndChangeNothing) {
    command_buffer commands;
    commands.add("A");
    const std::vector<int> words(command_buffer::words_max, 1);
    EXPECT_THROW(commands.add("DEL", words), std::length_error);
    EXPECT_EQ(text_of(commands), encoded("A"));
}

}  // namespace
