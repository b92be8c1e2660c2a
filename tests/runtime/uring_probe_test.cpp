#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <weir/runtime/uring_probe.hpp>

#include "support/child_process.hpp"

namespace weir {
namespace {

using report_list = std::vector<uring_capability> uring_report::*;
constexpr std::array lists = {&uring_report::setup_flags, &uring_report::features,
                              &uring_report::opcodes, &uring_report::tried};

TEST(UringProbeTest, AWorkingRingIsDescribed) {
    const uring_report report = probe_uring();
    ASSERT_TRUE(report.available) << report.why_unavailable;
    EXPECT_EQ(report.error, 0);
    EXPECT_EQ(report.why_unavailable, "");
    EXPECT_GE(report.submission_entries, 8U);
    EXPECT_GE(report.completion_entries, report.submission_entries);
    EXPECT_NE(report.kernel_release, "");
    EXPECT_GE(report.cores, 1U);
    EXPECT_GT(report.open_files.soft, 0U);
    EXPECT_GE(report.open_files.hard, report.open_files.soft);
}

TEST(UringProbeTest, EveryCapabilityHasItsWords) {
    const uring_report report = probe_uring();
    for (const report_list list : lists) {
        EXPECT_FALSE((report.*list).empty());
        for (const uring_capability& one : report.*list) {
            EXPECT_STRNE(one.name, "");
            EXPECT_STRNE(one.purpose, "") << one.name;
            EXPECT_GE(std::atof(one.since), 5.0) << one.name;
            EXPECT_EQ(one.used, std::string(one.without) != "") << one.name;
        }
    }
}

TEST(UringProbeTest, WhatALoopNeedsIsPresentWhereARingIsAvailable) {
    const uring_report report = probe_uring();
    for (const report_list list : lists) {
        for (const uring_capability& one : report.*list) {
            if (std::string(one.without) == "no ring can be made") {
                EXPECT_TRUE(one.present) << one.name;
            }
        }
    }
}

TEST(UringProbeTest, ProbingTwiceFindsTheSame) {
    const uring_report first = probe_uring();
    const uring_report second = probe_uring();
    for (const report_list list : lists) {
        ASSERT_EQ((first.*list).size(), (second.*list).size());
        for (std::size_t index = 0; index < (first.*list).size(); ++index) {
            EXPECT_EQ((first.*list)[index].present, (second.*list)[index].present)
                << (first.*list)[index].name;
        }
    }
}

TEST(UringProbeTest, WhatIsUsedAndMissingIsAFallback) {
    uring_report report;
    report.features = {
        {.name = "HERE",
         .since = "6.1",
         .purpose = "p",
         .without = "w",
         .used = true,
         .present = true},
        {.name = "GONE", .since = "6.9", .purpose = "p", .without = "it is slower", .used = true},
        {.name = "LATER", .since = "6.9", .purpose = "p"},
    };
    ASSERT_EQ(report.fallbacks().size(), 1U);
    EXPECT_EQ(report.fallbacks()[0], "GONE (Linux 6.9) is missing: it is slower");
}

// Prints the reason; exits with 1 where io_uring was not available.
[[noreturn]] void probe_and_exit() {
    const uring_report report = probe_uring();
    std::fprintf(stderr, "%d %s\n", report.error, report.why_unavailable.c_str());
    std::exit(report.available ? 0 : 1);
}

[[noreturn]] void probe_refused(int error) {
    test::refuse_system_call(__NR_io_uring_setup, error);
    probe_and_exit();
}

TEST(UringProbeDeathTest, ASeccompFilterIsNamed) {
    EXPECT_EXIT(probe_refused(EPERM), testing::ExitedWithCode(1), "1 .*seccomp filter.*allow");
}

TEST(UringProbeDeathTest, AKernelWithoutRingsIsNamed) {
    EXPECT_EXIT(probe_refused(ENOSYS), testing::ExitedWithCode(1), "38 .*CONFIG_IO_URING");
}

TEST(UringProbeDeathTest, ATightMemlockLimitIsNamedWithItsValue) {
    EXPECT_EXIT(probe_refused(ENOMEM), testing::ExitedWithCode(1),
                "12 .*RLIMIT_MEMLOCK = .*ulimit -l");
}

TEST(UringProbeDeathTest, AnUnknownErrorStillNamesTheKernelThatIsNeeded) {
    EXPECT_EXIT(probe_refused(EINVAL), testing::ExitedWithCode(1), "22 .*supported from Linux 6.1");
}

TEST(UringProbeDeathTest, NoDescriptorsLeftIsNamed) {
    EXPECT_EXIT(probe_refused(EMFILE), testing::ExitedWithCode(1), "24 .*ulimit -n");
}

}  // namespace
}  // namespace weir
