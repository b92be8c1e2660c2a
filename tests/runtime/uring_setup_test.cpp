#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/result.hpp>
#include <weir/runtime/uring_compat.hpp>
#include <weir/runtime/uring_driver.hpp>
#include <weir/runtime/uring_setup.hpp>

#include "support/child_process.hpp"

namespace weir {
namespace {

// A ring that is closed at the end of its test.
struct owned_ring {
    owned_ring() = default;
    owned_ring(const owned_ring&) = delete;
    owned_ring& operator=(const owned_ring&) = delete;
    ~owned_ring() {
        if (created) {
            io_uring_queue_exit(&ring);
        }
    }
    detail::ring_setup create(unsigned entries, unsigned completions) {
        const detail::ring_setup granted = detail::create_ring(ring, entries, completions);
        created = true;
        return granted;
    }
    io_uring ring{};
    bool created = false;
};

TEST(UringSetupTest, GrantsAtLeastWhatWasAskedFor) {
    owned_ring owned;
    const detail::ring_setup granted = owned.create(5, 100);
    EXPECT_EQ(granted.entries, 8U) << "rounded up to a power of two";
    EXPECT_EQ(granted.completions, 128U);
    EXPECT_NE(granted.flags & IORING_SETUP_R_DISABLED, 0U);
    EXPECT_NE(granted.features & IORING_FEAT_NODROP, 0U) << "an overflow is drained, not lost";
}

TEST(UringSetupTest, TheCompletionQueueIsNeverSmallerThanTheOtherOne) {
    owned_ring owned;
    const detail::ring_setup granted = owned.create(64, 1);
    EXPECT_GE(granted.completions, granted.entries);
}

TEST(UringSetupTest, WhatIsTooLargeIsClamped) {
    owned_ring owned;
    const detail::ring_setup granted = owned.create(1, 1U << 22);
    EXPECT_GE(granted.completions, 1U << 16);
    EXPECT_LT(granted.completions, 1U << 22);
}

TEST(UringSetupTest, ARingMakesItsFirstRoundTripOnceItIsEnabled) {
    owned_ring owned;
    owned.create(8, 16);
    io_uring_prep_nop(io_uring_get_sqe(&owned.ring));
    EXPECT_EQ(io_uring_submit(&owned.ring), -EBADFD) << "it was created disabled";
    detail::enable_ring(owned.ring);
    EXPECT_EQ(io_uring_submit_and_wait(&owned.ring, 1), 1);
    io_uring_cqe* done = nullptr;
    ASSERT_EQ(io_uring_peek_cqe(&owned.ring, &done), 0);
    EXPECT_EQ(done->res, 0);
}

TEST(UringSetupTest, EnablingTwiceIsRefusedByTheKernel) {
    owned_ring owned;
    owned.create(8, 16);
    detail::enable_ring(owned.ring);
    EXPECT_THROW(detail::enable_ring(owned.ring), std::system_error);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(UringSetupTest, ARefusalIsExplainedByItsError) {
    for (const int error : {EPERM, EACCES}) {
        const std::string forbidden = detail::explain_unavailable(error, 0);
        EXPECT_TRUE(contains(forbidden, "seccomp filter or security module")) << forbidden;
        EXPECT_TRUE(contains(forbidden, "allow io_uring_setup")) << forbidden;
        for (const int disabled : {1, 2}) {
            const std::string by_sysctl = detail::explain_unavailable(error, disabled);
            EXPECT_TRUE(contains(
                by_sysctl, "the sysctl kernel.io_uring_disabled is " + std::to_string(disabled)))
                << by_sysctl;
            EXPECT_TRUE(contains(by_sysctl, "set it to 0, or to 1 and add this user"));
            EXPECT_FALSE(contains(by_sysctl, "seccomp")) << by_sysctl;
        }
    }
    const std::string no_system_call = detail::explain_unavailable(ENOSYS);
    EXPECT_TRUE(contains(no_system_call, "Function not implemented")) << no_system_call;
    EXPECT_TRUE(contains(no_system_call, "Linux 6.1 on, with CONFIG_IO_URING"));
    const std::string no_memory = detail::explain_unavailable(ENOMEM);
    EXPECT_TRUE(contains(no_memory, "ring of 8 entries")) << no_memory;
    EXPECT_TRUE(contains(no_memory, "RLIMIT_MEMLOCK = "));
    EXPECT_TRUE(contains(no_memory, "ulimit -l"));
    for (const int error : {EMFILE, ENFILE}) {
        const std::string no_files = detail::explain_unavailable(error);
        EXPECT_TRUE(contains(no_files, "RLIMIT_NOFILE (ulimit -n)")) << no_files;
    }
    const std::string unknown = detail::explain_unavailable(EINVAL);
    EXPECT_TRUE(contains(unknown, "Invalid argument; weir is supported from Linux 6.1")) << unknown;
}

constexpr int unavailable = 1;

// Makes a loop and prints what it got; exits with 0 where a nop went through.
[[noreturn]] void try_a_loop(unsigned ring_entries) {
    try {
        event_loop_options options;
        options.ring_entries = ring_entries;
        auto driver = std::make_unique<uring_driver>(options);
        std::fprintf(stderr, "%u entries", driver->setup().entries);
        event_loop loop(std::move(driver), options);
        const bool done = loop.run([]() -> task<bool> {
            const result<void> finished = co_await nop();
            co_return finished.has_value();
        }());
        std::_Exit(done ? 0 : 2);
    } catch (const std::system_error& error) {
        std::fprintf(stderr, "%s: %s", error.code().category().name(), error.what());
        std::_Exit(error.code() == errc::ring_unavailable ? unavailable : 3);
    }
}

void try_a_refused_loop(int error) {
    test::refuse_system_call(__NR_io_uring_setup, error);
    try_a_loop(256);
}

void try_a_loop_with_locked_memory(unsigned long bytes, unsigned ring_entries) {
    test::become_user_with_locked_memory(bytes);
    try_a_loop(ring_entries);
}

TEST(UringSetupDeathTest, AForbiddenRingIsUnavailableWithCauseAndCure) {
    if (detail::disabled_by_sysctl() != 0) {
        GTEST_SKIP()
            << "the sysctl kernel.io_uring_disabled is set, and is the cause that is named";
    }
    EXPECT_EXIT(try_a_refused_loop(EPERM), testing::ExitedWithCode(unavailable),
                "weir: io_uring_setup: Operation not permitted; a seccomp filter.*allow "
                "io_uring_setup.*io_uring is not available");
}

TEST(UringSetupDeathTest, AKernelWithoutRingsIsUnavailableWithCauseAndCure) {
    EXPECT_EXIT(try_a_refused_loop(ENOSYS), testing::ExitedWithCode(unavailable),
                "weir: io_uring_setup: Function not implemented; .*supported from Linux 6.1");
}

TEST(UringSetupDeathTest, WithoutDescriptorsTheLimitIsNamed) {
    EXPECT_EXIT(try_a_refused_loop(EMFILE), testing::ExitedWithCode(unavailable),
                "weir: io_uring_setup: Too many open files; raise RLIMIT_NOFILE \\(ulimit -n\\)");
}

TEST(UringSetupDeathTest, WithLittleLockedMemoryTheRingIsSmaller) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "needs root, to become a user whose limit no other process shares";
    }
    EXPECT_EXIT(try_a_loop_with_locked_memory(65'536, 1024), testing::ExitedWithCode(0),
                "^[0-9]+ entries");
}

TEST(UringSetupDeathTest, WithoutLockedMemoryTheLimitIsNamed) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "needs root, to become a user whose limit no other process shares";
    }
    EXPECT_EXIT(
        {
            test::become_user_with_locked_memory(4096);
            // Kernels differ in whether they count a ring: only a refusal has a text to check.
            try_a_loop(1024);
        },
        [](int status) {
            return testing::ExitedWithCode(unavailable)(status) ||
                   testing::ExitedWithCode(0)(status);
        },
        "within RLIMIT_MEMLOCK = 4 KiB: raise it \\(ulimit -l\\)|entries");
}

}  // namespace
}  // namespace weir
