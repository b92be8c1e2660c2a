#include <gtest/gtest.h>

#include <weir/redisq/jobs/worker_stats.hpp>

namespace weir::redisq {
namespace {

TEST(WorkerStatsTest, BeginWithNothing) {
    const worker_stats none;
    EXPECT_EQ(none.claimed + none.done + none.failed + none.dead + none.lost, 0U);
    EXPECT_FALSE(none.has_lease);
}

}  // namespace
}  // namespace weir::redisq
