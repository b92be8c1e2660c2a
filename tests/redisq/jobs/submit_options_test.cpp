#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <weir/redisq/jobs/submit_options.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

TEST(SubmitOptionsTest, BadOnesAreRefused) {
    EXPECT_NO_THROW(submit_options().check());
    EXPECT_THROW(submit_options().lane(4).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().delay(-1s).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().unique(std::string(257, 'x')).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().unique("").check(), std::invalid_argument);
    EXPECT_THROW(submit_options().trace(std::string(257, 'x')).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().start_within(1us).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().timeout(1us).check(), std::invalid_argument);
    EXPECT_THROW(submit_options().delay(1s).at({}).check(), std::invalid_argument);
}

TEST(SubmitOptionsTest, OnlyTheseNeedAScript) {
    EXPECT_FALSE(submit_options().lane(0).keep_result().timeout(1s).needs_script());
    EXPECT_TRUE(submit_options().delay(1s).needs_script());
    EXPECT_TRUE(submit_options().at({}).needs_script());
    EXPECT_TRUE(submit_options().unique("x").needs_script());
    EXPECT_TRUE(submit_options().repeat_safely().needs_script());
}

}  // namespace
}  // namespace weir::redisq
