// Children that are spawned in a row share a record until one of them waits: nothing of that may be
// seen from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/failing_allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using ::testing::ElementsAre;

task<> log_now(std::vector<int>& log, int number) {
    log.push_back(number);
    co_return;
}

task<> log_around(std::vector<int>& log, int number) {
    log.push_back(number);
    co_await yield();
    log.push_back(-number);
}

task<> throw_text(std::string text) {
    if (!text.empty()) {
        throw std::runtime_error(text);
    }
    co_return;
}

task<> some_of_a_row_wait(std::vector<int>& log) {
    scope s;
    s.spawn(log_now(log, 1));
    s.spawn(log_around(log, 2));
    s.spawn(log_now(log, 3));
    s.spawn(log_around(log, 4));
    s.spawn(log_around(log, 5));
    s.spawn(log_now(log, 6));
    EXPECT_EQ(s.size(), 6U);
    co_await s.join();
    EXPECT_EQ(s.size(), 0U);
}

TEST(ScopeLineTest, AChildThatWaitsLetsThoseBehindItStart) {
    std::vector<int> log;
    test::run_test(some_of_a_row_wait(log));
    EXPECT_THAT(log, ElementsAre(1, 2, 3, 4, 5, 6, -2, -4, -5));
}

task<> two_scopes_in_turn(std::vector<int>& log) {
    scope one;
    scope other;
    one.spawn(log_now(log, 1));
    one.spawn(log_now(log, 2));
    other.spawn(log_now(log, 3));
    one.spawn(log_now(log, 4));
    one.spawn_named("five", log_now, std::ref(log), 5);
    one.spawn(log_now(log, 6));
    other.spawn(log_now(log, 7));
    co_await other.join();
    EXPECT_EQ(log.size(), 7U);
    co_await one.join();
}

TEST(ScopeLineTest, WhatBecameReadyBetweenTwoChildrenRunsBetweenThem) {
    std::vector<int> log;
    test::run_test(two_scopes_in_turn(log));
    EXPECT_THAT(log, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

task<> spawn_more(scope& s, std::vector<int>& log) {
    log.push_back(2);
    s.spawn(log_now(log, 4));
    s.spawn(log_now(log, 5));
    co_return;
}

task<> spawn_from_the_row(std::vector<int>& log) {
    scope s;
    s.spawn(log_now(log, 1));
    s.spawn(spawn_more(s, log));
    s.spawn(log_now(log, 3));
    co_await s.join();
}

TEST(ScopeLineTest, WhatAChildSpawnsComesAfterTheRow) {
    std::vector<int> log;
    test::run_test(spawn_from_the_row(log));
    EXPECT_THAT(log, ElementsAre(1, 2, 3, 4, 5));
}

task<> set_and_log(event& flag, std::vector<int>& log, int number) {
    log.push_back(number);
    flag.set();
    co_return;
}

task<> wait_and_log(event& flag, std::vector<int>& log, int number) {
    co_await flag.wait();
    log.push_back(number);
}

task<> wake_from_the_row(std::vector<int>& log) {
    scope s;
    event flag;
    s.spawn(wait_and_log(flag, log, 9));
    co_await yield();
    s.spawn(set_and_log(flag, log, 1));
    s.spawn(log_now(log, 2));
    co_await s.join();
}

TEST(ScopeLineTest, WhatAChildWakesComesAfterTheRow) {
    std::vector<int> log;
    test::run_test(wake_from_the_row(log));
    EXPECT_THAT(log, ElementsAre(1, 2, 9));
}

struct pinned {
    explicit(false) pinned(int number) : value(number) {}
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    int value;
};

task<pinned> make_pinned(int& made) {
    ++made;
    co_return made;
}

task<> drop_pinned(int& made) {
    scope s;
    s.spawn(make_pinned(made));
    s.spawn(make_pinned(made));
    co_await s.join();
}

TEST(ScopeLineTest, AValueThatCannotBeMovedIsDroppedWhereItIs) {
    int made = 0;
    test::run_test(drop_pinned(made));
    EXPECT_EQ(made, 2);
}

task<> stop_itself() {
    co_await name_task("stopped");
    scheduler::current()->running()->request_stop();
    EXPECT_TRUE(co_await stop_requested());
}

task<> expect_unstopped(bool& seen) {
    EXPECT_FALSE(co_await stop_requested());
    EXPECT_EQ(scheduler::current()->running()->name(), nullptr);
    seen = true;
}

task<> stop_one_of_a_row(bool& behind, bool& later) {
    scope s;
    s.spawn(stop_itself());
    s.spawn(expect_unstopped(behind));
    co_await s.join();
    s.spawn(expect_unstopped(later));
    co_await s.join();
}

TEST(ScopeLineTest, AStopAndANameOfOneChildAreNotThoseOfTheNext) {
    bool behind = false;
    bool later = false;
    test::run_test(stop_one_of_a_row(behind, later));
    EXPECT_TRUE(behind);
    EXPECT_TRUE(later);
}

task<> expect_stopped(int& seen) {
    EXPECT_TRUE(co_await stop_requested());
    ++seen;
}

task<> stop_the_row(int& seen) {
    scope s;
    s.spawn(expect_stopped(seen));
    s.spawn(expect_stopped(seen));
    s.request_stop();
    s.spawn(expect_stopped(seen));
    co_await s.join();
    s.spawn(expect_stopped(seen));
    co_await s.join();
}

TEST(ScopeLineTest, AStopOfTheScopeReachesThoseThatHaveNotStarted) {
    int seen = 0;
    test::run_test(stop_the_row(seen));
    EXPECT_EQ(seen, 4);
}

task<> fail_in_a_row(std::vector<int>& log) {
    scope s;
    s.spawn(log_now(log, 1));
    s.spawn(throw_text("second"));
    s.spawn(throw_text("third"));
    s.spawn(log_now(log, 4));
    co_await s.join();
}

TEST(ScopeLineTest, TheFirstErrorOfARowIsRethrownAndAllRun) {
    std::vector<int> log;
    try {
        test::run_test(fail_in_a_row(log));
        ADD_FAILURE() << "no error";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "second");
    }
    EXPECT_THAT(log, ElementsAre(1, 4));
}

task<> dump_a_row(std::string& text) {
    scope s;
    std::vector<int> log;
    s.spawn_named("first", log_now, std::ref(log), 1);
    s.spawn(log_now(log, 2));
    s.spawn(log_now(log, 3));
    std::ostringstream out;
    static_cast<event_loop*>(scheduler::current())->dump(out);
    text = out.str();
    co_await s.join();
}

TEST(ScopeLineTest, ThoseThatHaveNotStartedAreInTheDump) {
    std::string text;
    test::run_test(dump_a_row(text));
    EXPECT_THAT(text, ::testing::EndsWith("    scope: ready\n"
                                          "      first: ready\n"
                                          "      (unnamed): ready\n"
                                          "      (unnamed): ready\n"));
}

task<> count_turns(int& turns, bool& stop) {
    while (!stop) {
        ++turns;
        co_await yield();
    }
}

task<> long_row(int& turns, int& most) {
    scope s;
    bool stop = false;
    std::vector<int> log;
    s.spawn(count_turns(turns, stop));
    co_await yield();
    for (int number = 0; number < 100; ++number) {
        s.spawn(log_now(log, number));
    }
    const auto before = scheduler::current()->counters_ref().ticks;
    while (log.size() < 100) {
        co_await yield();
    }
    most = static_cast<int>(scheduler::current()->counters_ref().ticks - before);
    stop = true;
    co_await s.join();
}

TEST(ScopeLineTest, ALongRowKeepsToTheBudgetOfATick) {
    event_loop_options options;
    options.tick_budget = 10;
    test::virtual_loop on(options);
    int turns = 0;
    int ticks = 0;
    on.run(long_row(turns, ticks));
    EXPECT_GE(ticks, 10);
}

// ref: the caller waits for this.
task<> hold(std::shared_ptr<int> alive, event& flag) {
    co_await flag.wait();
    EXPECT_NE(alive, nullptr);
}

task<> release(event& flag) {
    flag.set();
    co_return;
}

task<> row_of_waiters(std::shared_ptr<int> alive) {
    event flag;
    const auto children = [](scope& s, std::shared_ptr<int> kept, event& until) -> task<> {
        s.spawn(hold(kept, until));
        s.spawn(hold(kept, until));
        s.spawn(hold(kept, until));
        s.spawn(release(until));
        co_return;
    };
    co_await with_scope(children, std::move(alive), std::ref(flag));
}

TEST(ScopeLineTest, AnyAllocationOfARowMayFail) {
    EXPECT_GT(test::fail_every_allocation(&row_of_waiters), 6);
}

}  // namespace
}  // namespace weir
