#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/redisq/detail/command_keys.hpp>
#include <weir/redisq/resp/encoder.hpp>
#include <weir/redisq/slot.hpp>

namespace weir::redisq {
namespace {

using slot = std::optional<std::uint16_t>;
using words = std::vector<std::string_view>;

const slot foo = slot_of("foo");

slot slot_in(const words& command) {
    const result<slot> found = detail::slot_of_command(command);
    EXPECT_TRUE(found) << found.error().message();
    return found.value_or(slot(0));
}

TEST(CommandKeysTest, MostCommandsHaveTheirKeyBehindTheName) {
    EXPECT_EQ(slot_in(words{"GET", "foo"}), foo);
    EXPECT_EQ(slot_in(words{"set", "foo", "bar"}), foo);
    EXPECT_EQ(slot_in(words{"SOME.MODULE_S.COMMAND", "foo"}), foo);
    EXPECT_EQ(slot_in(words{"XADD", "foo", "*", "a", "b"}), foo);
    EXPECT_EQ(slot_in(words{"SPUBLISH", "foo", "bar"}), foo);
}

TEST(CommandKeysTest, CommandsWithoutKeysHaveNoSlot) {
    for (const words& one :
         {words{"PING"}, words{"ping", "foo"}, words{"CLUSTER", "SLOTS"},
          words{"PUBLISH", "foo", "bar"}, words{"EVAL", "return 1", "0"}, words{"GET"},
          words{"OBJECT"}, words{"EVAL", "x"}, words{"EVAL"}, words{"XREAD", "COUNT", "1"},
          words{"XREAD", "STREAMS"}, words{"BLPOP", "0"}, words{}}) {
        EXPECT_EQ(slot_in(one), slot()) << (one.empty() ? "" : one[0]);
    }
}

TEST(CommandKeysTest, OthersHaveThemElsewhere) {
    for (const words& one :
         {words{"DEL", "foo", "{foo}1", "{foo}2"}, words{"MSET", "foo", "bar", "{foo}1", "baz"},
          words{"BLPOP", "foo", "{foo}1", "0"}, words{"RENAME", "foo", "{foo}1"},
          words{"OBJECT", "ENCODING", "foo"}, words{"XGROUP", "CREATE", "foo", "bar", "$"},
          words{"BITOP", "AND", "foo", "{foo}1"}, words{"EVAL", "bar", "2", "foo", "{foo}1", "baz"},
          words{"ZUNIONSTORE", "foo", "1", "{foo}1", "WEIGHTS", "2"},
          words{"LMPOP", "1", "foo", "LEFT"}, words{"BLMPOP", "0", "1", "foo", "LEFT"},
          words{"XREADGROUP", "GROUP", "bar", "c", "streams", "foo", "{foo}1", ">", ">"},
          words{"EVAL", "bar", "18446744073709551615", "foo"}}) {
        EXPECT_EQ(slot_in(one), foo) << one[0];
    }
}

TEST(CommandKeysTest, KeysOfSeveralSlotsAreRefusedWithoutNamingThem) {
    for (const words& one :
         {words{"MGET", "foo", "bar"}, words{"MSET", "foo", "1", "bar", "2"},
          words{"RENAME", "foo", "bar"}, words{"EVAL", "x", "2", "foo", "bar"},
          words{"ZUNIONSTORE", "foo", "1", "bar"}, words{"BLPOP", "foo", "bar", "0"},
          words{"XREAD", "STREAMS", "foo", "bar", "0", "0"}}) {
        const result<slot> found = detail::slot_of_command(one);
        ASSERT_FALSE(found) << one[0];
        EXPECT_EQ(found.error(), errc::cross_slot);
        EXPECT_EQ(found.error().message(),
                  std::string(one[0]) +
                      ": its keys belong to the slots 12182 and 5061; allowed: one slot, as of "
                      "keys that share a {tag}");
    }
}

TEST(CommandKeysTest, EncodedCommandsAreTakenOneByOne) {
    resp::command_buffer buffer;
    buffer.add("SET", "foo", std::string("a\r\n$1\r\nb"));
    buffer.add("PING");
    std::string_view rest(reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size());
    words taken;
    std::string_view bytes;
    ASSERT_TRUE(detail::take_command(rest, taken, bytes));
    EXPECT_EQ(taken, (words{"SET", "foo", "a\r\n$1\r\nb"}));
    ASSERT_TRUE(detail::take_command(rest, taken, bytes));
    EXPECT_EQ(taken, (words{"PING"}));
    EXPECT_EQ(bytes, "*1\r\n$4\r\nPING\r\n");
    EXPECT_FALSE(detail::take_command(rest, taken, bytes));
}

}  // namespace
}  // namespace weir::redisq
