#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<> nothing_after(duration length) { co_await sleep_for(length); }

task<> log_after(duration length, std::vector<int>& log, int number) {
    if (length != duration::zero()) {
        co_await sleep_for(length);
    }
    log.push_back(number);
}

task<> fail_after(duration length, std::string text) {
    co_await sleep_for(length);
    throw std::runtime_error(text);
}

task<> spawn_three(std::vector<int>& log) {
    scope s;
    s.spawn(log_after(0s, log, 1));
    s.spawn(log_after, 0s, std::ref(log), 2);
    s.spawn_named("third", log_after, 0s, std::ref(log), 3);
    EXPECT_EQ(s.size(), 3U);
    EXPECT_TRUE(log.empty()) << "children start through the ready queue";
    co_await s.join();
    EXPECT_EQ(s.size(), 0U);
}

TEST(ScopeTest, ChildrenStartInTheOrderOfSpawning) {
    std::vector<int> log;
    test::run_test(spawn_three(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

task<> join_two(scope& s) { co_await s.join(); }

task<> join_is_pending(test::ending& end) {
    scope outer;
    scope inner;
    inner.spawn(nothing_after(2s));
    inner.spawn(nothing_after(5s));
    outer.spawn(test::observe(join_two(inner), end));
    co_await sleep_for(5s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_EQ(inner.size(), 1U);
    co_await outer.join();
}

TEST(ScopeTest, AJoinIsPendingUntilTheLastChildHasEnded) {
    test::ending end{};
    test::run_test(join_is_pending(end));
    EXPECT_EQ(end, test::ending::value);
}

task<> join_nothing() {
    scope s;
    co_await s.join();
    co_await s.join();
    s.spawn(nothing_after(1s));
    co_await s.join();
    s.spawn(nothing_after(1s));
    co_await s.join();
}

TEST(ScopeTest, AJoinMayBeRepeatedAndEndsAtOnceWithoutChildren) { test::run_test(join_nothing()); }

task<> spawn_from_child(scope& s, std::vector<int>& log, int number) {
    co_await sleep_for(1s);
    log.push_back(number);
    if (number < 5) {
        s.spawn(spawn_from_child(s, log, number + 1));
    }
}

task<> join_generations(std::vector<int>& log) {
    scope s;
    s.spawn(spawn_from_child(s, log, 1));
    co_await s.join();
}

TEST(ScopeTest, AJoinWaitsForWhatChildrenSpawnMeanwhile) {
    std::vector<int> log;
    test::run_test(join_generations(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 4, 5}));
}

task<> fail_among_siblings(test::ending& sibling) {
    scope s;
    s.spawn(fail_after(5s, "second"));
    s.spawn(test::observe(nothing_after(1h), sibling));
    s.spawn(fail_after(2s, "first"));
    co_await s.join();
}

TEST(ScopeTest, TheFirstErrorInTimeStopsTheSiblingsAndIsRethrown) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    test::ending sibling{};
    std::string what;
    try {
        on.run(fail_among_siblings(sibling));
    } catch (const std::runtime_error& error) {
        what = error.what();
    }
    EXPECT_EQ(what, "first");
    EXPECT_EQ(sibling, test::ending::canceled);
    EXPECT_EQ(on.clock().now(), start + 2s);
}

task<> fail_when_stopped() {
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
        throw std::logic_error("while cleaning up");
    }
}

task<> two_failures() {
    scope s;
    s.spawn(fail_when_stopped());
    s.spawn(fail_after(1s, "the cause"));
    co_await s.join();
}

TEST(ScopeTest, AnErrorOfAStoppedSiblingDoesNotReplaceTheFirst) {
    EXPECT_THROW(test::run_test(two_failures()), std::runtime_error);
}

task<> fail_and_count(int& joined) {
    scope s;
    for (int number = 0; number < 10; ++number) {
        s.spawn([](int& count) -> task<> {
            try {
                co_await sleep_for(1h);
            } catch (const canceled&) {
            }
            ++count;
        }(joined));
    }
    s.spawn(fail_after(1s, "all must be joined"));
    co_await s.join();
}

TEST(ScopeTest, AllAreJoinedBeforeTheErrorIsRethrown) {
    int joined = 0;
    EXPECT_THROW(test::run_test(fail_and_count(joined)), std::runtime_error);
    EXPECT_EQ(joined, 10);
}

task<> stop_own_scope(test::ending& child) {
    scope s;
    s.spawn(nothing_after(1h));
    s.spawn(test::observe(nothing_after(1h), child));
    EXPECT_FALSE(s.stop_requested());
    co_await test::settle();
    EXPECT_EQ(child, test::ending::pending);
    s.request_stop();
    s.request_stop();
    EXPECT_TRUE(s.stop_requested());
    co_await s.join();
    EXPECT_FALSE(co_await stop_requested()) << "the parent goes on";
}

TEST(ScopeTest, AStopOfTheScopeItselfEndsTheChildrenAndIsAbsorbed) {
    test::ending child{};
    test::run_test(stop_own_scope(child));
    EXPECT_EQ(child, test::ending::canceled);
}

task<> fail_after_own_stop() {
    scope s;
    s.spawn(fail_when_stopped());
    co_await test::settle();
    s.request_stop();
    co_await s.join();
}

TEST(ScopeTest, AnErrorAfterAStopIsStillAnError) {
    EXPECT_THROW(test::run_test(fail_after_own_stop()), std::logic_error);
}

task<> spawn_after_stop(test::ending& late, bool& started) {
    scope s;
    s.request_stop();
    s.spawn(test::observe(nothing_after(1h), late));
    s.spawn([](bool& ran) -> task<> {
        ran = true;
        EXPECT_TRUE(co_await stop_requested());
    }(started));
    co_await s.join();
}

TEST(ScopeTest, AChildThatIsSpawnedAfterTheStopSeesItAtItsFirstAwait) {
    test::ending late{};
    bool started = false;
    test::run_test(spawn_after_stop(late, started));
    EXPECT_EQ(late, test::ending::canceled);
    EXPECT_TRUE(started);
}

task<> join_children(int count) {
    scope s;
    for (int number = 0; number < count; ++number) {
        s.spawn(nothing_after(1h));
    }
    co_await s.join();
}

TEST(ScopeTest, AStopFromOutsideReachesTheChildrenAndIsCanceled) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(join_children(3))),
              test::ending::canceled);
    EXPECT_EQ(test::run_test(test::stopped_before(join_children(3))), test::ending::canceled);
}

task<> stop_itself_after_outside(stop_source& outside, test::ending& end) {
    scope s;
    s.spawn(test::observe(with_stop(outside,
                                    [](stop_source& stop) -> task<> {
                                        scope inner;
                                        inner.spawn(nothing_after(1h));
                                        co_await yield();
                                        stop.request_stop();
                                        inner.request_stop();
                                        co_await inner.join();
                                    }(outside)),
                          end));
    co_await s.join();
}

TEST(ScopeTest, AStopFromOutsideThatCameFirstIsNotAbsorbed) {
    stop_source outside;
    test::ending end{};
    test::run_test(stop_itself_after_outside(outside, end));
    EXPECT_EQ(end, test::ending::canceled);
}

task<> finish_in_spite_of_stop() {
    scope s;
    s.spawn([]() -> task<> {
        try {
            co_await sleep_for(1h);
        } catch (const canceled&) {
        }
    }());
    co_await s.join();
}

TEST(ScopeTest, ChildrenThatFinishInSpiteOfTheStopEndTheJoinNormally) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(finish_in_spite_of_stop())),
              test::ending::value);
}

task<> throw_canceled() {
    co_await yield();
    throw canceled();
}

task<> cancel_by_nobody(test::ending& sibling) {
    scope s;
    s.spawn(throw_canceled());
    s.spawn(test::observe(nothing_after(1h), sibling));
    co_await s.join();
}

TEST(ScopeTest, ACanceledThatNobodyAskedForIsAnError) {
    test::ending sibling{};
    EXPECT_THROW(test::run_test(cancel_by_nobody(sibling)), canceled);
    EXPECT_EQ(sibling, test::ending::canceled);
}

task<> nest(int levels, int& leaves) {
    if (levels == 0) {
        co_await sleep_for(1s);
        ++leaves;
        co_return;
    }
    scope s;
    s.spawn(nest(levels - 1, leaves));
    s.spawn(nest(levels - 1, leaves));
    co_await s.join();
}

TEST(ScopeTest, ScopesNestLikeATree) {
    int leaves = 0;
    test::run_test(nest(8, leaves));
    EXPECT_EQ(leaves, 256);
}

TEST(ScopeTest, AStopWalksDownTheWholeTree) {
    int leaves = 0;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(nest(8, leaves))), test::ending::canceled);
    EXPECT_EQ(leaves, 0);
}

task<> hold_alive(std::shared_ptr<int> kept) {
    co_await sleep_for(1s);
    static_cast<void>(kept);
}

task<> frames_die_at_their_end(std::shared_ptr<int> alive) {
    scope s;
    s.spawn(hold_alive(alive));
    EXPECT_EQ(alive.use_count(), 3);
    co_await sleep_for(2s);
    EXPECT_EQ(alive.use_count(), 2) << "before the join";
    co_await s.join();
}

TEST(ScopeTest, AChildIsDestroyedWhenItHasEnded) {
    const auto alive = std::make_shared<int>(1);
    test::run_test(frames_die_at_their_end(alive));
    EXPECT_EQ(alive.use_count(), 1);
}

task<> leave_unjoined() {
    scope s;
    s.spawn(nothing_after(1s));
    co_await yield();
}

TEST(ScopeDeathTest, LeavingAScopeWithLiveChildrenEndsTheProcess) {
    EXPECT_DEATH(test::run_test(leave_unjoined()), "a scope is joined before it is left");
}

task<> join_by_two() {
    scope joiners;
    scope s;
    s.spawn(nothing_after(1s));
    joiners.spawn(join_two(s));
    joiners.spawn(join_two(s));
    co_await joiners.join();
}

TEST(ScopeDeathTest, JoiningByTwoTasksEndsTheProcess) {
    EXPECT_DEATH(test::run_test(join_by_two()), "one task at a time joins a scope");
}

TEST(ScopeDeathTest, AScopeOutsideOfATaskEndsTheProcess) {
    EXPECT_DEATH(const scope nowhere, "a scope is made inside a running task");
}

task<> spawn_nothing() {
    scope s;
    s.spawn(task<>());
    co_await s.join();
}

TEST(ScopeDeathTest, SpawningATaskThatWasMovedFromEndsTheProcess) {
    EXPECT_DEATH(test::run_test(spawn_nothing()), "a task that was moved from cannot be spawned");
}

// As a lambda that captures and is a coroutine.
struct speaker {
    std::string text;
    std::vector<std::string>* said;

    task<> operator()() const {
        co_await yield();
        said->push_back(text);
    }
};

task<> spawn_callables_with_state(std::vector<std::string>& said) {
    scope s;
    for (const char* const word : {"one", "two"}) {
        // Longer than what a string holds in itself, so that a dangling one shows.
        s.spawn(speaker{std::string(word) + " and a tail that needs memory of its own", &said});
    }
    co_await s.join();
}

TEST(ScopeTest, ACallableWithStateLivesAsLongAsItsTask) {
    std::vector<std::string> said;
    test::run_test(spawn_callables_with_state(said));
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[0], "one and a tail that needs memory of its own");
    EXPECT_EQ(said[1], "two and a tail that needs memory of its own");
}

}  // namespace
}  // namespace weir
