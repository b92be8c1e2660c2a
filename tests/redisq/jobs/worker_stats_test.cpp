#include <gtest/gtest.h>

#include <array>

#include <weir/redisq/jobs/worker_stats.hpp>

namespace weir::redisq {
namespace {

TEST(WorkerStatsTest, BeginWithNothing) {
    const worker_stats none;
    EXPECT_EQ(none.claimed + none.done + none.failed + none.dead + none.lost, 0U);
    EXPECT_FALSE(none.has_lease);
}

TEST(WorkerStatsTest, OfSeveralWorkersAreAddedUp) {
    worker_stats one;
    one.done = 3;
    one.deferred = 2;
    one.running = 5;
    one.has_lease = true;
    const std::array two = {one, worker_stats()};
    EXPECT_EQ(sum_of(two).done, 3U);
    EXPECT_FALSE(sum_of(two).has_lease);
    const std::array both = {one, one};
    EXPECT_EQ(sum_of(both).done, 6U);
    EXPECT_EQ(sum_of(both).deferred, 4U);
    EXPECT_EQ(sum_of(both).running, 10U);
    EXPECT_TRUE(sum_of(both).has_lease);
    EXPECT_FALSE(sum_of({}).has_lease);
}

}  // namespace
}  // namespace weir::redisq
