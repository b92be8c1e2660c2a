#include <gtest/gtest.h>

#include <string_view>

#include <weir/redisq/slot.hpp>

namespace weir::redisq {
namespace {

TEST(SlotTest, AgreesWithTheSpecification) {
    EXPECT_EQ(crc16("123456789"), 0x31C3);
    EXPECT_EQ(crc16(""), 0);
    // CLUSTER KEYSLOT of a redis-server 7.0.
    EXPECT_EQ(slot_of("foo"), 12'182);
    EXPECT_EQ(slot_of("bar"), 5'061);
    EXPECT_EQ(slot_of("hello"), 866);
    EXPECT_EQ(slot_of(""), 0);
    EXPECT_EQ(slot_of(std::string_view("\0\xff", 2)),
              crc16(std::string_view("\0\xff", 2)) % 16'384);
}

TEST(SlotTest, OnlyTheFirstTagIsHashed) {
    EXPECT_EQ(hash_tag("{user1000}.following"), "user1000");
    EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
    EXPECT_EQ(hash_tag("foo{}{bar}"), "foo{}{bar}");
    EXPECT_EQ(hash_tag("foo{{bar}}zap"), "{bar");
    EXPECT_EQ(hash_tag("foo{bar}{zap}"), "bar");
    EXPECT_EQ(hash_tag("foo{bar"), "foo{bar");
    EXPECT_EQ(hash_tag("foo}{bar"), "foo}{bar");
    EXPECT_EQ(hash_tag("plain"), "plain");
    static_assert(slot_of("a{b}c") == slot_of("b"));
}

}  // namespace
}  // namespace weir::redisq
