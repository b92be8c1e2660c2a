#include <gtest/gtest.h>

#include <weir/runtime/assert.hpp>

namespace weir {
namespace {

TEST(AssertTest, AConditionThatHoldsIsEvaluatedOnceAndPasses) {
    int evaluated = 0;
    WEIR_ASSERT(++evaluated == 1, "counts");
    EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, ABrokenRuleNamesPlaceRuleAndCondition) {
    const int permits = 3;
    EXPECT_DEATH(WEIR_ASSERT(permits == 4, "four permits are there"),
                 "weir: .*assert_test\\.cpp:[0-9]+: four permits are there \\(permits == 4\\)");
}

TEST(AssertDeathTest, AFatalErrorPrintsItsValues) {
    EXPECT_DEATH(detail::fatal("%s has %d jobs", "the pool", 7), "weir: the pool has 7 jobs");
}

TEST(AssertTest, ADebugAssertionCostsNothingInRelease) {
    int evaluated = 0;
    WEIR_DEBUG_ASSERT(++evaluated == 1, "counts");
#ifdef NDEBUG
    EXPECT_EQ(evaluated, 0);
#else
    EXPECT_EQ(evaluated, 1);
#endif
}

#ifndef NDEBUG
TEST(AssertDeathTest, ADebugAssertionEndsADebugBuild) {
    EXPECT_DEATH(WEIR_DEBUG_ASSERT(false, "never"), "never \\(false\\)");
}
#endif

}  // namespace
}  // namespace weir
