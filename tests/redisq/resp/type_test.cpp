#include <weir/redisq/resp/type.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace {

using weir::redisq::resp::is_aggregate;
using weir::redisq::resp::name;
using weir::redisq::resp::type;

TEST(RespTypeTest, EachHasANameOfItsOwn) {
    std::set<std::string_view> names;
    for (int kind = 0; kind <= static_cast<int>(type::push); ++kind) {
        names.insert(name(static_cast<type>(kind)));
    }
    EXPECT_EQ(names.size(), 14U);
    EXPECT_EQ(name(type::bulk_string), "bulk string");
    EXPECT_EQ(name(type::push), "push");
    EXPECT_EQ(name(static_cast<type>(99)), "unknown type");
}

TEST(RespTypeTest, AggregatesHoldElements) {
    EXPECT_TRUE(is_aggregate(type::array));
    EXPECT_TRUE(is_aggregate(type::push));
    EXPECT_FALSE(is_aggregate(type::verbatim_string));
}

}  // namespace
