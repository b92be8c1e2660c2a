#include <gtest/gtest.h>
#include <set>
#include <string_view>
#include <weir/redisq/jobs/scripts.hpp>

namespace weir::redisq {
namespace {

TEST(JobScriptsTest, EachIsListedOnceAndHasAText) {
    std::set<std::string_view> names;
    for (const job_script& script : job_scripts()) {
        EXPECT_TRUE(names.insert(script.name).second) << script.name;
        EXPECT_NE(script.text.find("return"), std::string_view::npos) << script.name;
    }
    EXPECT_EQ(names.size(), 23U);
}

}  // namespace
}  // namespace weir::redisq
