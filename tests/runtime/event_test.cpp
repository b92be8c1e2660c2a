#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <weir/runtime/event.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> wait_on(event& flag) { co_await flag.wait(); }

task<> wait_and_log(event& flag, std::vector<int>& log, int number) {
    co_await flag.wait();
    log.push_back(number);
}

task<> wake_in_order(std::vector<int>& log) {
    event flag;
    scope s;
    for (int number = 1; number <= 3; ++number) {
        s.spawn(wait_and_log(flag, log, number));
    }
    co_await test::settle();
    EXPECT_TRUE(log.empty());
    flag.set();
    EXPECT_TRUE(log.empty()) << "set() resumes nobody by itself";
    co_await s.join();
}

TEST(EventTest, WaitersArePendingUntilItIsSetAndGoOnInOrder) {
    std::vector<int> log;
    test::run_test(wake_in_order(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

task<> note(bool& ran) {
    ran = true;
    co_return;
}

task<> wait_when_set() {
    event flag;
    EXPECT_FALSE(flag.is_set());
    flag.set();
    flag.set();
    EXPECT_TRUE(flag.is_set());
    bool other_ran = false;
    scope s;
    s.spawn(note(other_ran));
    co_await flag.wait();
    co_await flag.wait();
    EXPECT_FALSE(other_ran) << "no turn of the loop is taken";
    co_await s.join();
    EXPECT_TRUE(other_ran);
}

TEST(EventTest, NobodyWaitsForWhatIsSet) { test::run_test(wait_when_set()); }

task<> reset_after_set(std::vector<int>& log) {
    event flag;
    scope s;
    s.spawn(wait_and_log(flag, log, 1));
    co_await test::settle();
    flag.set();
    flag.reset();
    EXPECT_FALSE(flag.is_set());
    s.spawn(wait_and_log(flag, log, 2));
    co_await test::settle();
    EXPECT_EQ(log, std::vector<int>{1}) << "who was woken goes on, who comes later waits";
    flag.set();
    co_await s.join();
}

TEST(EventTest, AResetMakesLaterOnesWaitAndKeepsTheWoken) {
    std::vector<int> log;
    test::run_test(reset_after_set(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

TEST(EventTest, AStopEndsTheWait) {
    event flag;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(wait_on(flag))), test::ending::canceled);
}

TEST(EventTest, AStoppedTaskDoesNotWait) {
    event flag;
    EXPECT_EQ(test::run_test(test::stopped_before(wait_on(flag))), test::ending::canceled);
    flag.set();
    EXPECT_EQ(test::run_test(test::stopped_before(wait_on(flag))), test::ending::canceled);
}

task<> stop_one_of_three(std::vector<int>& log) {
    event flag;
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(wait_and_log(flag, log, 1));
    s.spawn(test::observe(with_stop(source, wait_and_log(flag, log, 2)), end));
    s.spawn(wait_and_log(flag, log, 3));
    co_await test::settle();
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_TRUE(log.empty());
    flag.set();
    co_await s.join();
}

TEST(EventTest, AStoppedWaiterLeavesTheOthersInTheirOrder) {
    std::vector<int> log;
    test::run_test(stop_one_of_three(log));
    EXPECT_EQ(log, (std::vector<int>{1, 3}));
}

task<> set_then_stop() {
    event flag;
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(test::observe(with_stop(source, wait_on(flag)), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    flag.set();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(EventTest, AWakeThatCameBeforeTheStopIsKept) { test::run_test(set_then_stop()); }

task<> stop_then_set() {
    event flag;
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(test::observe(with_stop(source, wait_on(flag)), end));
    co_await test::settle();
    source.request_stop();
    flag.set();
    co_await s.join();
    EXPECT_EQ(end, test::ending::canceled);
}

TEST(EventTest, AStopThatCameBeforeTheWakeIsKept) { test::run_test(stop_then_set()); }

task<> destroy_with_waiter() {
    auto flag = std::make_unique<event>();
    scope s;
    s.spawn(wait_on(*flag));
    co_await test::settle();
    flag.reset();
    co_await s.join();
}

TEST(EventDeathTest, DestroyingAnEventWithWaitersEndsTheProcess) {
    EXPECT_DEATH(test::run_test(destroy_with_waiter()),
                 "an event outlives the tasks that wait for it");
}

}  // namespace
}  // namespace weir
