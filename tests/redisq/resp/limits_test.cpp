#include <weir/redisq/resp/limits.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weir/redisq/resp/parser.hpp>

namespace {

using weir::redisq::resp::limits;
using weir::redisq::resp::parser;

std::string error_of(const limits& allowed) {
    try {
        const parser replies(allowed);
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return "";
}

TEST(RespLimitsTest, TheDefaultsAreAllowed) { EXPECT_EQ(error_of({}), ""); }

TEST(RespLimitsTest, EachHasARangeThatTheErrorNames) {
    limits allowed;
    allowed.depth_max = 0;
    EXPECT_EQ(error_of(allowed), "limits.depth_max is 0, allowed: 1 to 1024");
    allowed = {};
    allowed.bulk_bytes_max = 536'870'913;
    EXPECT_EQ(error_of(allowed), "limits.bulk_bytes_max is 536870913, allowed: 1 to 536870912");
    allowed = {};
    allowed.elements_max = 0;
    EXPECT_EQ(error_of(allowed), "limits.elements_max is 0, allowed: 1 to 1073741824");
    allowed = {};
    allowed.line_bytes_max = 63;
    EXPECT_EQ(error_of(allowed), "limits.line_bytes_max is 63, allowed: 64 to 536870912");
    allowed = {};
    allowed.reply_bytes_max = std::size_t{1} << 32;
    EXPECT_EQ(error_of(allowed), "limits.reply_bytes_max is 4294967296, allowed: 64 to 4294967295");
}

}  // namespace
