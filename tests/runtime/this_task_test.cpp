#include <gtest/gtest.h>

#include <string>

#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<bool> ask() { co_return co_await stop_requested(); }

TEST(ThisTaskTest, NobodyAskedToStop) { EXPECT_FALSE(test::run_test(ask())); }

task<> stop_while_it_runs(stop_source& source) {
    EXPECT_FALSE(co_await stop_requested());
    source.request_stop();
    EXPECT_TRUE(co_await stop_requested()) << "at once, without a turn of the loop";
    const bool seen_by_child = co_await ask();
    EXPECT_TRUE(seen_by_child);
}

TEST(ThisTaskTest, AStopIsSeenAtOnceAndByAwaitedTasks) {
    stop_source source;
    test::run_test(with_stop(source, stop_while_it_runs(source)));
}

task<> keep_on_until_stopped(int& turns) {
    for (bool stop = false; !stop; stop = co_await stop_requested()) {
        ++turns;
        try {
            co_await yield();
        } catch (const canceled&) {
        }
    }
}

task<> stop_a_loop(int& turns) {
    scope s;
    s.spawn(keep_on_until_stopped(turns));
    for (int turn = 0; turn < 5; ++turn) {
        co_await yield();
    }
    s.request_stop();
    co_await s.join();
}

TEST(ThisTaskTest, ALoopMayPollForItsStop) {
    int turns = 0;
    test::run_test(stop_a_loop(turns));
    EXPECT_GE(turns, 4);
    EXPECT_LE(turns, 6);
}

task<std::string> name_in_dump() {
    co_await name_task("the counter");
    co_return event_loop::current()->dump();
}

TEST(ThisTaskTest, ANameAppearsInTheDump) {
    EXPECT_NE(test::run_test(name_in_dump()).find("the counter: "), std::string::npos);
}

task<const char*> name_of_running() {
    co_await name_task("outer");
    co_await [](int) -> task<> { co_await name_task("inner"); }(1);
    co_return scheduler::current()->running()->name();
}

TEST(ThisTaskTest, AnAwaitedTaskNamesTheWholeChain) {
    EXPECT_STREQ(test::run_test(name_of_running()), "inner");
}

}  // namespace
}  // namespace weir
