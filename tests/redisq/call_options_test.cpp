#include <gtest/gtest.h>

#include <weir/redisq/call_options.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

TEST(CallOptionsTest, ByDefaultACallIsAsItsClientHasIt) {
    constexpr call_options usual;
    EXPECT_EQ(usual.timeout, call_options::as_client);
    EXPECT_FALSE(usual.idempotent);
}

TEST(CallOptionsTest, EachMakesACopyWithOneChange) {
    constexpr call_options changed = idempotent.within(2s);
    static_assert(changed.timeout == 2s);
    EXPECT_TRUE(changed.idempotent);
    EXPECT_EQ(idempotent.timeout, call_options::as_client);
    EXPECT_EQ(call_options().within(0s).timeout, 0s);
    EXPECT_TRUE(call_options().repeatable().idempotent);
}

}  // namespace
}  // namespace weir::redisq
