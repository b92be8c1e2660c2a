// Long chains and deep recursions of jobs on one slot: neither the stack grows with them, nor is
// the loop kept from its other work.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"
#include "support/sanitizers.hpp"

namespace weir {
namespace {

using test::run_pool_test;
using test::sized;
using test::value_job;

constexpr int depth_max = test::sanitized ? 5'000 : 50'000;

// Job number n awaits job n + 1, all queued.
task<> await_next(std::vector<join_handle<>>& chain, std::size_t self) {
    if (self + 1 < chain.size()) {
        co_await chain[self + 1].join();
    }
}

task<> a_chain_of_claims() {
    constexpr std::size_t length = depth_max;
    pool p(sized(1, length));
    std::vector<join_handle<>> chain(length);
    p.resize(0);
    for (std::size_t self = 0; self < length; ++self) {
        chain[self] = co_await p.submit(await_next, std::ref(chain), self);
    }
    p.resize(1);
    co_await p.drain();
    EXPECT_EQ(p.stats().claimed, length - 1);
}

TEST(PoolNestingDepthTest, ALongChainOfClaimsDoesNotGrowTheStack) {
    run_pool_test(a_chain_of_claims());
}

task<int> run_chain(pool& p, int depth) {
    if (depth == 0) {
        co_await yield();
        co_return 1;
    }
    co_return 1 + co_await p.run(run_chain, std::ref(p), depth - 1);
}

task<> a_deep_recursion() {
    pool p(sized(1, 0));
    const int depth = co_await p.run(run_chain, std::ref(p), depth_max);
    EXPECT_EQ(depth, depth_max + 1);
}

TEST(PoolNestingDepthTest, ADeepRecursionOfRunsDoesNotGrowTheStack) {
    run_pool_test(a_deep_recursion());
}

// ref: the flag lives in the test, which waits for this task.
task<> run_until(pool& p, bool& enough, int& runs) {
    while (!enough && runs < 1'000'000) {
        co_await p.run(value_job, 1);
        ++runs;
    }
}

task<> set_enough(bool& enough) {
    enough = true;
    co_return;
}

task<> nested_runs_leave_the_loop_its_turns() {
    pool p(sized(1, 0));
    bool enough = false;
    int runs = 0;
    scope s;
    s.spawn(set_enough(enough));
    co_await p.run(run_until, std::ref(p), std::ref(enough), std::ref(runs));
    EXPECT_LT(runs, 1000);
    co_await s.join();
}

TEST(PoolNestingDepthTest, RunsThatEndAtOnceLeaveTheLoopItsTurns) {
    run_pool_test(nested_runs_leave_the_loop_its_turns());
}

task<int> run_down_to(pool& p, test::gated& at, int depth) {
    if (depth == 0) {
        co_return co_await test::gated_job(at, 1);
    }
    co_return 1 + co_await p.run(run_down_to, std::ref(p), std::ref(at), depth - 1);
}

task<> a_deep_stop(bool all) {
    pool p(sized(1, 0));
    test::gated at;
    auto handle = co_await p.submit(run_down_to, std::ref(p), std::ref(at), depth_max);
    co_await test::settle();
    EXPECT_EQ(at.begun, 1);
    if (all) {
        co_await p.stop();
    } else {
        handle.cancel();
    }
    const std::string how = co_await test::ending_of(handle);
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(p.stats().canceled, static_cast<std::uint64_t>(depth_max) + 1);
}

TEST(PoolNestingDepthTest, AStopReachesTheBottomOfADeepRecursion) {
    run_pool_test(a_deep_stop(true));
    run_pool_test(a_deep_stop(false));
}

}  // namespace
}  // namespace weir
