#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <weir/runtime/context.hpp>
#include <weir/runtime/scheduler.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

struct bare_loop : scheduler {
    using scheduler::ready_;
};

class node final : public context {
  public:
    explicit node(scheduler& loop) : context(loop) {}
    node(scheduler& loop, context& parent) : context(loop, parent) {}
    ~node() override { detach(); }

    void on_done() noexcept override {}
    using context::detach;
};

struct recorder final : detail::stop_listener {
    ~recorder() {
        if (is_linked()) {
            unlink();
        }
    }
    void on_stop() noexcept override { ++told; }
    int told = 0;
};

TEST(ContextTest, AStopReachesTheWholeTreeBelow) {
    bare_loop loop;
    node root(loop);
    node child(loop, root);
    node grandchild(loop, child);
    node sibling(loop, root);
    child.request_stop();
    EXPECT_TRUE(child.stop_requested());
    EXPECT_TRUE(grandchild.stop_requested());
    EXPECT_FALSE(root.stop_requested());
    EXPECT_FALSE(sibling.stop_requested());
    root.request_stop();
    EXPECT_TRUE(sibling.stop_requested());
}

TEST(ContextTest, AChildOfAStoppedParentIsStoppedAtOnce) {
    bare_loop loop;
    node root(loop);
    root.request_stop();
    const node child(loop, root);
    EXPECT_TRUE(child.stop_requested());
    EXPECT_EQ(child.parent(), &root);
}

TEST(ContextTest, AChildThatLeftIsNotReached) {
    bare_loop loop;
    node root(loop);
    node child(loop, root);
    child.detach();
    root.request_stop();
    EXPECT_FALSE(child.stop_requested());
}

TEST(ContextTest, AStopIsToldOnce) {
    bare_loop loop;
    node root(loop);
    recorder listener;
    root.add_stop_listener(listener);
    EXPECT_EQ(listener.told, 0);
    root.request_stop();
    EXPECT_EQ(listener.told, 1);
    root.request_stop();
    EXPECT_EQ(listener.told, 1);
}

TEST(ContextTest, AListenerThatComesLateIsToldAtOnce) {
    bare_loop loop;
    node root(loop);
    root.request_stop();
    recorder listener;
    root.add_stop_listener(listener);
    EXPECT_EQ(listener.told, 1);
}

// Leaves when told, and takes `other` along.
struct leaver final : detail::stop_listener {
    ~leaver() {
        if (is_linked()) {
            unlink();
        }
    }
    void on_stop() noexcept override {
        unlink();
        if (other != nullptr && other->is_linked()) {
            other->unlink();
        }
    }
    recorder* other = nullptr;
};

TEST(ContextTest, AListenerMayLeaveAndTakeOthersAlongWhileItIsTold) {
    bare_loop loop;
    node root(loop);
    recorder before;
    leaver leaving;
    recorder taken;
    recorder after;
    root.add_stop_listener(before);
    root.add_stop_listener(leaving);
    root.add_stop_listener(taken);
    root.add_stop_listener(after);
    leaving.other = &taken;
    root.request_stop();
    EXPECT_EQ(before.told, 1);
    EXPECT_EQ(taken.told, 0);
    EXPECT_EQ(after.told, 1);
    EXPECT_FALSE(leaving.is_linked());
    int remaining = 0;
    root.for_each_listener([&](const detail::stop_listener&) { ++remaining; });
    EXPECT_EQ(remaining, 2);
}

// Adds a listener while it is told.
struct adder final : detail::stop_listener {
    adder(context& to, recorder& what) : target(to), late(what) {}
    ~adder() {
        if (is_linked()) {
            unlink();
        }
    }
    void on_stop() noexcept override { target.add_stop_listener(late); }
    context& target;
    recorder& late;
};

TEST(ContextTest, AListenerThatIsAddedDuringAStopIsToldOnce) {
    bare_loop loop;
    node root(loop);
    recorder late;
    adder adding(root, late);
    root.add_stop_listener(adding);
    root.request_stop();
    EXPECT_EQ(late.told, 1);
}

// A waiter that counts its cancels, and ends the wait only when told to.
struct test_waiter : detail::waiter {
    static void count_cancel(waiter& self) noexcept { ++static_cast<test_waiter&>(self).cancels; }
    int cancels = 0;
};

constexpr detail::wait_kind counted{"a test", &test_waiter::count_cancel};
constexpr detail::wait_kind deaf{"its children", nullptr};

TEST(ContextTest, AStopCancelsTheWaitThatIsPresent) {
    bare_loop loop;
    node task(loop);
    test_waiter wait;
    EXPECT_EQ(task.waiting(), nullptr);
    wait.suspend(task, std::noop_coroutine(), counted);
    ASSERT_EQ(task.waiting(), &wait);
    EXPECT_STREQ(task.waiting()->kind->what, "a test");
    task.request_stop();
    EXPECT_EQ(wait.cancels, 1);
    EXPECT_EQ(task.waiting(), &wait) << "the wait ends by wake(), not by the request";
    wait.wake();
    EXPECT_EQ(task.waiting(), nullptr);
    EXPECT_EQ(&loop.ready_.pop(), &wait);
}

TEST(ContextTest, AStopAfterTheWakeNoLongerReachesTheWait) {
    bare_loop loop;
    node task(loop);
    test_waiter wait;
    wait.suspend(task, std::noop_coroutine(), counted);
    wait.wake();
    task.request_stop();
    EXPECT_EQ(wait.cancels, 0);
    EXPECT_TRUE(task.stop_requested());
    loop.ready_.pop();
}

TEST(ContextTest, AWaitForChildrenIsLeftAlone) {
    bare_loop loop;
    node task(loop);
    test_waiter wait;
    wait.suspend(task, std::noop_coroutine(), deaf);
    task.request_stop();
    EXPECT_EQ(task.waiting(), &wait);
    EXPECT_TRUE(loop.ready_.empty());
    wait.wake();
    loop.ready_.pop();
}

TEST(ContextTest, AWaiterThatIsCanceledInItsListLeavesItAndWakes) {
    bare_loop loop;
    node task(loop);
    detail::listed_waiter wait;
    detail::intrusive_list<detail::listed_waiter> list;
    static constexpr detail::wait_kind kind{"a list", &detail::listed_waiter::cancel_in_list};
    wait.suspend(task, std::noop_coroutine(), kind);
    list.push_back(wait);
    task.request_stop();
    EXPECT_TRUE(list.empty());
    EXPECT_TRUE(wait.was_canceled);
    EXPECT_EQ(task.waiting(), nullptr);
    EXPECT_EQ(&loop.ready_.pop(), &wait);
}

task<> remember_context(std::vector<const context*>& seen) {
    detail::context_awaiter mine;
    seen.push_back(&co_await mine);
}

task<> remember_both(std::vector<const context*>& seen) {
    co_await remember_context(seen);
    co_await sleep_for(std::chrono::seconds(1));
    co_await remember_context(seen);
}

TEST(ContextTest, AwaitedTasksShareTheContextOfTheirAwaiter) {
    std::vector<const context*> seen;
    test::run_test(remember_both(seen));
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0], seen[1]);
}

task<> spawn_remember_both(std::vector<const context*>& seen) {
    co_await remember_context(seen);
    scope s;
    s.spawn(remember_both(seen));
    co_await s.join();
}

TEST(ContextTest, ASpawnedTaskHasAContextOfItsOwn) {
    std::vector<const context*> seen;
    test::run_test(spawn_remember_both(seen));
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_NE(seen[0], seen[1]);
    EXPECT_EQ(seen[1], seen[2]);
}

TEST(ContextDeathTest, SchedulingAContextThatHasNoStartEndsTheProcess) {
    bare_loop loop;
    node task(loop);
    EXPECT_DEATH(static_cast<context&>(task).start(), "a context without a start of its own");
}

#ifndef NDEBUG
TEST(ContextDeathTest, WaitingInTwoPlacesEndsADebugBuild) {
    bare_loop loop;
    node task(loop);
    test_waiter first;
    test_waiter second;
    first.suspend(task, std::noop_coroutine(), counted);
    EXPECT_DEATH(second.suspend(task, std::noop_coroutine(), counted),
                 "a task waits in one place at a time");
    task.end_wait();
}
#endif

}  // namespace
}  // namespace weir
