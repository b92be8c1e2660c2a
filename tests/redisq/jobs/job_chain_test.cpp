#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weir/redisq/jobs/job_chain.hpp>

namespace weir::redisq {
namespace {

const job_type<int, std::string> write_down("write down");
const job_type<std::string, std::string> shout("shout");
const job_type<std::string> print("print");
const job_type<> tidy_up("tidy up");

TEST(JobChainTest, KnowsItsStepsInTheirOrder) {
    const auto steps = chain(write_down).then(shout, 0).then(print).then(tidy_up, 3);
    ASSERT_EQ(steps.steps().size(), 4U);
    EXPECT_EQ(steps.first().name(), "write down");
    EXPECT_EQ(steps.steps()[1].type, "shout");
    EXPECT_EQ(steps.steps()[1].lane, 0);
    EXPECT_EQ(steps.steps()[2].lane, lane_default);
    EXPECT_EQ(steps.steps()[3].type, "tidy up");
    EXPECT_EQ(steps.steps()[3].format, payload_format::json);
}

TEST(JobChainTest, BadLanesAndEndlessOnesAreRefused) {
    EXPECT_THROW(static_cast<void>(chain(shout).then(shout, 4)), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(chain(shout).then(shout, -1)), std::invalid_argument);
    auto steps = chain(shout).then(shout);
    for (std::size_t count = 2; count < chain_steps_max; ++count) {
        steps = steps.then(shout);
    }
    EXPECT_THROW(static_cast<void>(steps.then(shout)), std::invalid_argument);
}

}  // namespace
}  // namespace weir::redisq
