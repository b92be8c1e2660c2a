#include <gtest/gtest.h>

#include <bit>

#include <weir/runtime/uring_compat.hpp>

namespace weir {
namespace {

// The kernel's include/uapi/linux/io_uring.h, so that a later liburing cannot differ unseen.
static_assert(IORING_SETUP_SINGLE_ISSUER == 1U << 12);
static_assert(IORING_SETUP_DEFER_TASKRUN == 1U << 13);
static_assert(IORING_FEAT_RECVSEND_BUNDLE == 1U << 14);
static_assert(IORING_FEAT_MIN_TIMEOUT == 1U << 15);
static_assert(IORING_FEAT_NO_IOWAIT == 1U << 17);
static_assert(IORING_ENTER_NO_IOWAIT == 1U << 7);

TEST(UringCompatTest, EveryFlagIsOneBitOfItsOwn) {
    const unsigned setup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                           IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED |
                           IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |
                           IORING_SETUP_TASKRUN_FLAG;
    EXPECT_EQ(std::popcount(setup), 8);
    const unsigned features = IORING_FEAT_RECVSEND_BUNDLE | IORING_FEAT_MIN_TIMEOUT |
                              IORING_FEAT_NO_IOWAIT | IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
    EXPECT_EQ(std::popcount(features), 5);
}

}  // namespace
}  // namespace weir
