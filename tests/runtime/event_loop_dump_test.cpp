// event_loop::dump: the tree of live tasks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include <weir/runtime/channel.hpp>
#include <weir/runtime/condition.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/semaphore.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string dump_now() { return event_loop::current()->dump(); }

task<> nothing_after(duration length) { co_await sleep_for(length); }
task<> wait_on(event& flag) { co_await flag.wait(); }
task<> take(semaphore& s) { static_cast<void>(co_await s.acquire()); }
task<> send_two(channel<int>& to) {
    co_await to.send(1);
    co_await to.send(2);
}
task<> receive_one(channel<int>& from) { static_cast<void>(co_await from.receive()); }
task<> wait_on_condition(mutex& m, condition& changed) {
    mutex::guard guard = co_await m.lock();
    co_await changed.wait(m, guard);
}
task<> read_pipe(const test::pipe_pair* pipe) {
    char byte = 0;
    static_cast<void>(co_await test::read_byte(pipe, &byte));
}

// Expects the child that waits in `body` to be shown with `what`, then stops it.
task<> expect_wait(task<> body, std::string what) {
    scope s;
    s.spawn_named("patient", [](task<> inner) { return inner; }, std::move(body));
    co_await yield();
    co_await yield();
    EXPECT_THAT(dump_now(), HasSubstr("patient: awaits " + what + " for 0.000 ms\n"));
    s.request_stop();
    try {
        co_await s.join();
    } catch (const std::exception&) {
    }
}

TEST(EventLoopDumpTest, EveryWaitHasAName) {
    event flag;
    semaphore none(0);
    channel<int> one_place(1);
    channel<int> empty(1);
    mutex m;
    condition changed;
    const test::pipe_pair pipe;
    test::run_test(expect_wait(nothing_after(1h), "sleep"));
    test::run_test(expect_wait(wait_on(flag), "event"));
    test::run_test(expect_wait(take(none), "semaphore"));
    test::run_test(expect_wait(send_two(one_place), "channel send"));
    test::run_test(expect_wait(receive_one(empty), "channel receive"));
    test::run_test(expect_wait(wait_on_condition(m, changed), "condition"));
    test::run_test(expect_wait(read_pipe(&pipe), "I/O"));
    test::run_test(expect_wait(with_timeout(1h, nothing_after(2h)), "subtask"));
}

task<> nested(event& flag) {
    scope s;
    s.spawn_named("leaf", wait_on, std::ref(flag));
    co_await s.join();
}

task<std::string> dump_tree() {
    event flag;
    scope s;
    s.spawn_named("branch", nested, std::ref(flag));
    s.spawn(wait_on(flag));
    co_await sleep_for(1500ms);
    std::string text = dump_now();
    flag.set();
    co_await s.join();
    co_return text;
}

TEST(EventLoopDumpTest, TheTreeShowsNamesWaitsAndSinceWhen) {
    event_loop_options options;
    options.name = "north";
    test::virtual_loop on(options);
    const std::string text = on.run(dump_tree());
    const std::size_t first_line = text.find('\n');
    EXPECT_THAT(text.substr(0, first_line),
                HasSubstr("north: 0 ready, 0 timers, 0 operations in flight, "));
    EXPECT_EQ(text.substr(first_line + 1),
              "  main: ready\n"
              "    scope: ready\n"
              "      branch: awaits scope join for 1500.000 ms\n"
              "        scope: ready\n"
              "          leaf: awaits event for 1500.000 ms\n"
              "      (unnamed): awaits event for 1500.000 ms\n");
}

task<std::string> dump_stopped() {
    stop_source source;
    source.request_stop();
    std::string text;
    co_await with_stop(source, [](std::string& out) -> task<> {
        out = dump_now();
        co_return;
    }(text));
    co_return text;
}

TEST(EventLoopDumpTest, AStopIsShown) {
    EXPECT_THAT(test::run_test(dump_stopped()), HasSubstr("main: ready, stop requested\n"));
}

task<> keep_busy(const test::pipe_pair* pipe, std::string& text) {
    scope s;
    s.spawn(nothing_after(1h));
    s.spawn(read_pipe(pipe));
    co_await yield();
    s.spawn(nothing_after(1h));
    text = dump_now();
    pipe->put('x');
    s.request_stop();
    co_await s.join();
}

TEST(EventLoopDumpTest, TheFirstLineCountsWhatIsAlive) {
    const test::pipe_pair pipe;
    std::string text;
    test::run_test(keep_busy(&pipe, text));
    EXPECT_THAT(text, HasSubstr("loop: 1 ready, 1 timers, 1 operations in flight, "));
}

TEST(EventLoopDumpTest, ALoopAtRestShowsNoTask) {
    test::virtual_loop on;
    on.run(nothing_after(1s));
    std::ostringstream out;
    on.loop().dump(out);
    EXPECT_EQ(out.str(), on.loop().dump());
    EXPECT_EQ(out.str().find('\n'), out.str().size() - 1) << out.str();
}

}  // namespace
}  // namespace weir
