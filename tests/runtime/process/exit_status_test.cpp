#include <gtest/gtest.h>

#include <csignal>

#include <weir/runtime/process/exit_status.hpp>

namespace weir {
namespace {

TEST(ExitStatusTest, AProgramThatEndedHasACode) {
    const exit_status good = exit_status::exited(0);
    EXPECT_TRUE(good.success());
    const exit_status bad = exit_status::exited(3);
    EXPECT_FALSE(bad.success());
    EXPECT_EQ(bad.code(), 3);
    EXPECT_FALSE(bad.signal());
    EXPECT_EQ(bad.text(), "exited with 3");
    EXPECT_NE(good, bad);
}

TEST(ExitStatusTest, AProgramThatWasKilledHasASignal) {
    const exit_status killed = exit_status::killed(SIGKILL);
    EXPECT_FALSE(killed.success());
    EXPECT_FALSE(killed.code());
    EXPECT_EQ(killed.signal(), SIGKILL);
    EXPECT_FALSE(killed.dumped_core());
    EXPECT_EQ(killed.text(), "killed by signal 9 (Killed)");
    const exit_status dumped = exit_status::killed(SIGSEGV, true);
    EXPECT_TRUE(dumped.dumped_core());
    EXPECT_EQ(dumped.text(), "killed by signal 11 (Segmentation fault), core dumped");
    EXPECT_EQ(exit_status::killed(4711).text(), "killed by signal 4711");
}

}  // namespace
}  // namespace weir
