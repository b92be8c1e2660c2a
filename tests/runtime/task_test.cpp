#include <gtest/gtest.h>

#include <chrono>
#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/task.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> twice(int number) { co_return 2 * number; }

task<int> twice_later(int number) {
    co_await yield();
    co_return 2 * number;
}

task<> set_flag(bool& flag) {
    flag = true;
    co_return;
}

TEST(TaskTest, NothingRunsBeforeTheAwait) {
    bool ran = false;
    task<> lazy = set_flag(ran);
    EXPECT_TRUE(lazy.valid());
    EXPECT_FALSE(ran);
    test::run_test(std::move(lazy));
    EXPECT_TRUE(ran);
}

TEST(TaskTest, ATaskThatNobodyAwaitsIsDestroyedWithItsArguments) {
    auto alive = std::make_shared<int>(1);
    {
        const auto lazy = [](std::shared_ptr<int> kept) -> task<> {
            static_cast<void>(kept);
            co_return;
        }(alive);
        EXPECT_EQ(alive.use_count(), 2);
    }
    EXPECT_EQ(alive.use_count(), 1);
}

TEST(TaskTest, MovingATaskLeavesAnInvalidOneBehind) {
    task<int> first = twice(1);
    task<int> second = std::move(first);
    EXPECT_FALSE(first.valid());
    EXPECT_TRUE(second.valid());
    first = std::move(second);
    EXPECT_TRUE(first.valid());
    EXPECT_FALSE(second.valid());
    EXPECT_FALSE(task<int>().valid());
}

TEST(TaskTest, AssignmentDestroysTheTaskThatWasThere) {
    auto alive = std::make_shared<int>(1);
    auto hold = [](std::shared_ptr<int> kept) -> task<> {
        static_cast<void>(kept);
        co_return;
    };
    task<> slot = hold(alive);
    EXPECT_EQ(alive.use_count(), 2);
    slot = hold(nullptr);
    EXPECT_EQ(alive.use_count(), 1);
    task<>& same = slot;
    slot = std::move(same);
    EXPECT_TRUE(slot.valid());
}

task<int> sum_of_children() {
    const int at_once = co_await twice(10);
    const int later = co_await twice_later(1);
    co_return at_once + later;
}

TEST(TaskTest, AnAwaitYieldsTheValueOfTheChild) {
    EXPECT_EQ(test::run_test(sum_of_children()), 22);
}

task<std::unique_ptr<std::string>> move_only(bool suspends) {
    auto text = std::make_unique<std::string>("owned");
    if (suspends) {
        co_await yield();
    }
    co_return text;
}

task<std::string> pass_on_move_only(bool suspends) {
    std::unique_ptr<std::string> text = co_await move_only(suspends);
    co_return std::move(*text);
}

TEST(TaskTest, AMoveOnlyValueIsHandedOver) {
    EXPECT_EQ(test::run_test(pass_on_move_only(false)), "owned");
    EXPECT_EQ(test::run_test(pass_on_move_only(true)), "owned");
    EXPECT_EQ(*test::run_test(move_only(true)), "owned");
}

task<int&> refer_to(int& target) { co_return target; }
task<const int&> refer_later(const int* target) {
    co_await yield();
    co_return *target;
}

task<> write_through_reference(int& target) {
    int& alias = co_await refer_to(target);
    EXPECT_EQ(&alias, &target);
    alias = 7;
    const int& view = co_await refer_later(&target);
    EXPECT_EQ(&view, &target);
}

TEST(TaskTest, AReferenceRefersToTheOriginal) {
    int target = 0;
    test::run_test(write_through_reference(target));
    EXPECT_EQ(target, 7);
    EXPECT_EQ(&test::run_test(refer_to(target)), &target);
}

// Counts how many of it live.
struct counted {
    explicit counted(int& count) noexcept : live(&count) { ++*live; }
    counted(counted&& other) noexcept : live(other.live) { ++*live; }
    counted& operator=(counted&&) = delete;
    ~counted() { --*live; }
    int* live;
};

task<counted> make_counted(int& live, bool suspends) {
    counted made(live);
    if (suspends) {
        co_await yield();
    }
    co_return std::move(made);
}

task<> count_results(int& live) {
    for (const bool suspends : {false, true}) {
        {
            const counted result = co_await make_counted(live, suspends);
            EXPECT_EQ(live, 1);
        }
        EXPECT_EQ(live, 0);
        static_cast<void>(co_await make_counted(live, suspends));
        EXPECT_EQ(live, 0) << "a result that nobody keeps dies with its await";
    }
}

TEST(TaskTest, AResultLivesExactlyOnceAfterItsAwait) {
    int live = 0;
    test::run_test(count_results(live));
    EXPECT_EQ(live, 0);
}

task<> hold_until_ready(counted argument, const int* live) {
    EXPECT_GE(*live, 1);
    co_await yield();
    EXPECT_GE(*live, 1);
    static_cast<void>(argument);
}

task<> arguments_die_after_the_await(int& live) {
    co_await hold_until_ready(counted(live), &live);
    EXPECT_EQ(live, 0);
}

TEST(TaskTest, TheFrameOfAChildIsGoneWhenItsAwaitHasEnded) {
    int live = 0;
    test::run_test(arguments_die_after_the_await(live));
}

task<int> fail(bool suspends) {
    if (suspends) {
        co_await yield();
    }
    throw std::runtime_error("out of tea");
}

task<int> pass_failure_on(int levels, bool suspends) {
    if (levels == 0) {
        co_return co_await fail(suspends);
    }
    co_return co_await pass_failure_on(levels - 1, suspends);
}

task<std::string> catch_failure(bool suspends) {
    try {
        co_await pass_failure_on(5, suspends);
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "nothing was thrown";
}

TEST(TaskTest, AnExceptionPassesThroughEveryAwait) {
    EXPECT_EQ(test::run_test(catch_failure(false)), "out of tea");
    EXPECT_EQ(test::run_test(catch_failure(true)), "out of tea");
}

TEST(TaskTest, AnExceptionOfTheMainTaskLeavesRun) {
    EXPECT_THROW(test::run_test(fail(false)), std::runtime_error);
    EXPECT_THROW(test::run_test(fail(true)), std::runtime_error);
}

task<> fail_void() {
    co_await yield();
    throw 5;
}

TEST(TaskTest, AnyTypeMayBeThrown) { EXPECT_THROW(test::run_test(fail_void()), int); }

struct throws_on_construction {
    throws_on_construction(int) { throw std::logic_error("not today"); }
};

task<throws_on_construction> return_what_throws() { co_return 1; }

TEST(TaskTest, AValueThatCannotBeMadeIsAFailureOfTheTask) {
    EXPECT_THROW(test::run_test(return_what_throws()), std::logic_error);
}

task<> wait_for(event& flag, std::vector<std::string>& log) {
    log.emplace_back("child waits");
    co_await flag.wait();
    log.emplace_back("child goes on");
}

task<> wait_through_child(event& flag, std::vector<std::string>& log) {
    co_await wait_for(flag, log);
    log.emplace_back("parent goes on");
}

task<> show_pending_and_ready(std::vector<std::string>& log) {
    event flag;
    scope s;
    s.spawn(wait_through_child(flag, log));
    co_await test::settle();
    EXPECT_EQ(log, std::vector<std::string>{"child waits"});
    flag.set();
    EXPECT_EQ(log.size(), 1U) << "a wake goes through the ready queue";
    co_await s.join();
}

TEST(TaskTest, AParentIsPendingUntilItsChildHasEnded) {
    std::vector<std::string> log;
    test::run_test(show_pending_and_ready(log));
    EXPECT_EQ(log, (std::vector<std::string>{"child waits", "child goes on", "parent goes on"}));
}

task<> log_and_yield(std::vector<int>& log) {
    log.push_back(1);
    co_await yield();
    log.push_back(3);
}

task<> await_in_place(std::vector<int>& log) {
    scope s;
    s.spawn([](std::vector<int>& where) -> task<> {
        where.push_back(2);
        co_return;
    }(log));
    co_await log_and_yield(log);
    log.push_back(4);
    co_await s.join();
}

TEST(TaskTest, AnAwaitedTaskRunsInPlaceAheadOfWhatIsReady) {
    std::vector<int> log;
    test::run_test(await_in_place(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 4}));
}

task<> sleep_long() { co_await sleep_for(1h); }

task<> await_slot(task<>& slot) { co_await std::move(slot); }

task<> drop_what_is_awaited(test::ending& end) {
    task<> slot = sleep_long();
    scope s;
    s.spawn(test::observe(await_slot(slot), end));
    co_await test::settle();
    EXPECT_FALSE(slot.valid());
    slot = task<>();
    co_await s.join();
}

TEST(TaskTest, AnAwaitTakesTheTaskOver) {
    test::ending end{};
    test::run_test(drop_what_is_awaited(end));
    EXPECT_EQ(end, test::ending::value);
}

// Gives the handle of the task that awaits it away, which no task of ours does.
class betrayal {
  public:
    explicit betrayal(std::coroutine_handle<>& out) noexcept : out_(out) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> task) const noexcept {
        out_ = task;
        return false;
    }
    void await_resume() const noexcept {}

  private:
    std::coroutine_handle<>& out_;
};

task<> sleep_in_a_child(std::coroutine_handle<>& self) {
    co_await name_task("reader");
    co_await betrayal(self);
    co_await sleep_long();
}

task<> destroy_while_it_sleeps() {
    std::coroutine_handle<> frame;
    scope s;
    s.spawn(sleep_in_a_child(frame));
    co_await test::settle();
    frame.destroy();
    co_await s.join();
}

TEST(TaskDeathTest, DestroyingAStartedTaskNamesItAndItsWait) {
    EXPECT_DEATH(test::run_test(destroy_while_it_sleeps()),
                 "a task of \"reader\" was destroyed after it had started and before it ended, "
                 "while it awaited sleep");
}

task<> await_twice() {
    task<int> once = twice(1);
    co_await std::move(once);
    co_await std::move(once);
}

TEST(TaskDeathTest, AwaitingTwiceEndsTheProcess) {
    EXPECT_DEATH(test::run_test(await_twice()), "a task is awaited once");
}

task<> await_nothing() {
    task<int> nothing;
    co_await std::move(nothing);
}

TEST(TaskDeathTest, AwaitingATaskThatWasMovedFromEndsTheProcess) {
    EXPECT_DEATH(test::run_test(await_nothing()), "not after it was moved from");
}

TEST(TaskDeathTest, RunningATaskThatWasMovedFromEndsTheProcess) {
    EXPECT_DEATH(test::run_test(task<>()), "run\\(\\) needs a task that was not moved from");
}

}  // namespace
}  // namespace weir
