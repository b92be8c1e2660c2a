// with_scope: a function in a scope of its own.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <weir/runtime/scope.hpp>

#include "support/failing_allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<> nothing_after(duration length) { co_await sleep_for(length); }

task<int> spawn_and_return(scope& s, test::ending& child, int value) {
    s.spawn(test::observe(nothing_after(5s), child));
    co_return value;
}

task<int> value_of_scope(test::ending& child) {
    co_return co_await with_scope(spawn_and_return, std::ref(child), 7);
}

TEST(WithScopeTest, EndsWithTheValueWhenAllThatItSpawnedHasEnded) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    test::ending child{};
    EXPECT_EQ(on.run(value_of_scope(child)), 7);
    EXPECT_EQ(child, test::ending::value);
    EXPECT_EQ(on.clock().now(), start + 5s);
}

task<> spawn_and_throw(scope& s, test::ending& child) {
    s.spawn(test::observe(nothing_after(1h), child));
    co_await sleep_for(1s);
    throw std::runtime_error("in the body");
}

TEST(WithScopeTest, AnExceptionInTheBodyStopsWhatItSpawned) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    test::ending child{};
    EXPECT_THROW(on.run(with_scope(spawn_and_throw, std::ref(child))), std::runtime_error);
    EXPECT_EQ(child, test::ending::canceled);
    EXPECT_EQ(on.clock().now(), start + 1s);
}

task<> spawn_a_failure(scope& s, test::ending& body) {
    s.spawn([]() -> task<> {
        co_await sleep_for(1s);
        throw std::logic_error("in a child");
    }());
    co_await test::observe(nothing_after(1h), body);
}

TEST(WithScopeTest, AFailingChildStopsTheBody) {
    test::ending body{};
    EXPECT_THROW(test::run_test(with_scope(spawn_a_failure, std::ref(body))), std::logic_error);
    EXPECT_EQ(body, test::ending::canceled);
}

task<std::unique_ptr<int>> take_move_only(scope&, std::unique_ptr<int> value) {
    co_await sleep_for(1s);
    ++*value;
    co_return value;
}

TEST(WithScopeTest, MoveOnlyArgumentsAndValuesAreHandedOver) {
    EXPECT_EQ(*test::run_test(with_scope(take_move_only, std::make_unique<int>(4))), 5);
}

task<int> stop_itself(scope& s) {
    s.request_stop();
    co_await sleep_for(1h);
    co_return 1;
}

TEST(WithScopeTest, AScopeThatIsStoppedBeforeItHasAValueIsCanceled) {
    EXPECT_THROW(test::run_test(with_scope(stop_itself)), canceled);
}

task<int> stop_children_and_return(scope& s, test::ending& child) {
    s.spawn(test::observe(nothing_after(1h), child));
    co_await test::settle();
    s.request_stop();
    co_return 3;
}

TEST(WithScopeTest, ABodyMayStopItsChildrenAndReturnAValue) {
    test::ending child{};
    EXPECT_EQ(test::run_test(with_scope(stop_children_and_return, std::ref(child))), 3);
    EXPECT_EQ(child, test::ending::canceled);
}

task<> spawn_and_leave(scope& s) {
    s.spawn(nothing_after(1h));
    co_return;
}

TEST(WithScopeTest, AStopFromOutsideIsCanceled) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(with_scope(spawn_and_leave))),
              test::ending::canceled);
}

// A callable that owns something, and is copied into the scope.
struct owning_callable {
    std::shared_ptr<std::vector<int>> log;

    task<int> operator()(scope& s, int number) {
        s.spawn(push_later(*log, number));
        co_await sleep_for(2s);
        co_return log->at(0);
    }

    static task<> push_later(std::vector<int>& where, int number) {
        co_await sleep_for(1s);
        where.push_back(number);
    }
};

TEST(WithScopeTest, ACallableLivesAsLongAsItsBody) {
    auto callable = std::make_unique<owning_callable>();
    callable->log = std::make_shared<std::vector<int>>();
    auto body = with_scope(*callable, 42);
    callable.reset();
    EXPECT_EQ(test::run_test(std::move(body)), 42);
}

task<int> keep_alive(scope& s, std::shared_ptr<int> alive) {
    s.spawn([](std::shared_ptr<int> kept) -> task<> {
        co_await sleep_for(1s);
        static_cast<void>(kept);
    }(alive));
    co_return *alive;
}

TEST(WithScopeTest, EveryAllocationMayFail) {
    const int failures = test::fail_every_allocation(
        [](const std::shared_ptr<int>& alive) { return with_scope(keep_alive, alive); });
    EXPECT_GE(failures, 5);
}

}  // namespace
}  // namespace weir
