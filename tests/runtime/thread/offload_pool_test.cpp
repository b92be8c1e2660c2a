#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <weir/runtime/thread/blocking.hpp>
#include <weir/runtime/thread/offload_pool.hpp>

#include "support/child_process.hpp"
#include "support/held_call.hpp"
#include "support/run_test.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_TEST_THREAD_SANITIZED 1
#endif
#endif

namespace weir {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(WEIR_TEST_THREAD_SANITIZED)
constexpr bool thread_sanitized = true;
#else
constexpr bool thread_sanitized = false;
#endif

[[nodiscard]] offload_options sized(std::size_t threads) {
    offload_options options;
    options.threads_max = threads;
    return options;
}

std::string refusal_of(const offload_options& options) {
    try {
        const offload_pool pool(options);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST(OffloadPoolTest, ARefusalNamesOptionValueAndRange) {
    EXPECT_EQ(refusal_of(sized(4097)),
              "offload_options::threads_max is 4097; allowed: 1 to 4096, or 0 for the default");
    EXPECT_EQ(refusal_of(sized(4096)), "accepted");
    offload_options nameless;
    nameless.name = nullptr;
    EXPECT_EQ(refusal_of(nameless), "offload_options::name is null; allowed: a string");
}

TEST(OffloadPoolTest, TheDefaultSizeFollowsTheProcessors) {
    const offload_pool pool;
    EXPECT_GE(pool.options().threads_max, 5U);
    EXPECT_LE(pool.options().threads_max, 32U);
    EXPECT_EQ(offload_pool(sized(3)).options().threads_max, 3U);
}

std::size_t threads_of_process() {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// ref: both outlive the task.
task<> hold_in(offload_pool& pool, test::held_call& call) {
    static_cast<void>(co_await blocking(pool, test::hold, std::ref(call), 1));
}

task<> grow() {
    const std::size_t before = threads_of_process();
    {
        offload_pool pool(sized(2));
        EXPECT_EQ(threads_of_process(), before) << "it starts none by itself";
        const auto nothing = [] {};
        for (int round = 0; round < 10; ++round) {
            co_await blocking(pool, nothing);
        }
        EXPECT_EQ(pool.stats().threads, 1U) << "one is enough for one call at a time";
        test::held_call first;
        test::held_call second;
        test::held_call third;
        scope s;
        s.spawn(hold_in(pool, first));
        s.spawn(hold_in(pool, second));
        s.spawn(hold_in(pool, third));
        co_await first.begun().wait();
        co_await second.begun().wait();
        const offload_stats stats = pool.stats();
        EXPECT_EQ(stats.threads, 2U);
        EXPECT_EQ(stats.busy, 2U);
        EXPECT_EQ(stats.queued, 1U) << "no more than threads_max";
        EXPECT_EQ(threads_of_process(), before + 2);
        first.let_go();
        second.let_go();
        third.let_go();
        co_await s.join();
        EXPECT_EQ(pool.stats().busy, 0U);
        EXPECT_EQ(pool.stats().threads, 2U) << "they stay";
    }
    EXPECT_EQ(threads_of_process(), before) << "they were joined";
}

TEST(OffloadPoolTest, ThreadsStartOnDemandAndStayUntilThePoolEnds) { test::run_test(grow()); }

// What a call sees of its thread.
struct surroundings {
    std::string name;
    bool signals_are_blocked = false;
};

surroundings look_around() {
    surroundings seen;
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    seen.name = name;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    seen.signals_are_blocked = sigismember(&blocked, SIGTERM) == 1 &&
                               sigismember(&blocked, SIGINT) == 1 &&
                               sigismember(&blocked, SIGCHLD) == 1;
    return seen;
}

task<> look_in_pools() {
    offload_options options;
    options.name = "a-name-longer-than-15-bytes";
    offload_pool pool(options);
    const surroundings own = co_await blocking(pool, look_around);
    EXPECT_EQ(own.name, "a-name-longer-t");
    EXPECT_TRUE(own.signals_are_blocked);
    const surroundings standard = co_await blocking(look_around);
    EXPECT_EQ(standard.name, "weir-offload");
    EXPECT_TRUE(standard.signals_are_blocked);
}

TEST(OffloadPoolTest, ThreadsHaveANameAndNoSignals) {
    test::run_test(look_in_pools());
    EXPECT_FALSE(look_around().signals_are_blocked) << "the caller's mask is as it was";
}

TEST(OffloadPoolTest, TheDefaultPoolIsOneAndItsOptionsComeBeforeIt) {
    offload_pool& pool = default_offload_pool();
    EXPECT_EQ(&default_offload_pool(), &pool);
    EXPECT_THROW(set_default_offload_options(sized(2)), std::logic_error);
    EXPECT_THROW(set_default_offload_options(sized(5000)), std::invalid_argument);
}

void configure_and_ask() {
    set_default_offload_options(sized(2));
    set_default_offload_options(sized(3));
    const bool as_told = default_offload_pool().options().threads_max == 3;
    std::_Exit(as_told ? 0 : 1);
}

TEST(OffloadPoolDeathTest, TheDefaultPoolIsMadeAsTold) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(configure_and_ask(), testing::ExitedWithCode(0), "");
}

void refuse_threads() {
    test::refuse_system_call(__NR_clone3, EAGAIN);
    test::refuse_system_call(__NR_clone, EAGAIN);
}

task<std::string> call_without_threads() {
    offload_pool pool(sized(2));
    refuse_threads();
    try {
        static_cast<void>(co_await blocking(pool, look_around));
    } catch (const std::system_error& error) {
        co_return error.what();
    }
    co_return "a thread was started";
}

TEST(OffloadPoolDeathTest, WithoutAnyThreadACallFailsAndNamesThePool) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            std::fprintf(stderr, "%s\n", test::run_test(call_without_threads()).c_str());
            std::_Exit(0);
        },
        testing::ExitedWithCode(0),
        "offload pool \"weir-offload\": no thread runs, and the first one could not be started: "
        "Resource temporarily unavailable");
}

task<int> call_with_one_thread() {
    offload_pool pool(sized(2));
    co_await blocking(pool, look_around);
    refuse_threads();
    test::held_call first;
    test::held_call second;
    scope s;
    s.spawn(hold_in(pool, first));
    s.spawn(hold_in(pool, second));
    first.let_go();
    second.let_go();
    co_await s.join();
    co_return pool.stats().threads == 1 ? 0 : 1;
}

TEST(OffloadPoolDeathTest, TheThreadsThatThereAreServeThoseThatCannotBeHad) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(std::_Exit(test::run_test(call_with_one_thread())), testing::ExitedWithCode(0), "");
}

task<> use(offload_pool& pool) { co_await blocking(pool, look_around); }
task<> use_default() { co_await blocking(look_around); }

// In a child: 0 where the pools behave.
int use_pools_of_parent(std::unique_ptr<offload_pool> pool, const offload_pool* parents_default) {
    try {
        test::run_test(use(*pool));
        return 2;
    } catch (const std::system_error& error) {
        if (error.code() != thread_errc::forked) {
            return 3;
        }
    }
    pool.reset();
    if (&default_offload_pool() == parents_default) {
        return 4;
    }
    test::run_test(use_default());
    return 0;
}

TEST(OffloadPoolTest, AChildOfForkHasADefaultPoolOfItsOwnAndNoOther) {
    if (thread_sanitized) {
        GTEST_SKIP() << "the sanitizer allows no threads in a child";
    }
    auto pool = std::make_unique<offload_pool>(sized(1));
    test::run_test(use(*pool));
    test::run_test(use_default());
    const offload_pool* const parents_default = &default_offload_pool();
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);  // a child that waits for its parent's threads ends here
        std::_Exit(use_pools_of_parent(std::move(pool), parents_default));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    test::run_test(use(*pool));
    EXPECT_EQ(&default_offload_pool(), parents_default) << "the parent goes on";
}

}  // namespace
}  // namespace weir
