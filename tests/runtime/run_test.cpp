#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weir/runtime/run.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number) { co_return number; }

task<> fail() {
    co_await yield();
    throw std::runtime_error("main failed");
}

run_options on_signals(std::vector<int> signals) {
    run_options options;
    options.stop_signals = std::move(signals);
    return options;
}

bool is_blocked(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

TEST(RunTest, ReturnsWhatTheMainTaskReturns) {
    EXPECT_EQ(run(give(7)), 7);
    EXPECT_EQ(run(give(8), on_signals({SIGINT})), 8);
}

TEST(RunTest, RethrowsWhatTheMainTaskThrows) {
    EXPECT_THROW(run(fail()), std::runtime_error);
    EXPECT_THROW(run(fail(), on_signals({SIGINT})), std::runtime_error);
}

task<> sleep_an_hour() { co_await sleep_for(1h); }

TEST(RunTest, TheLoopsOptionsAreUsed) {
    manual_clock clock;
    run_options options;
    options.loop.clock = &clock;
    const time_point start = clock.now();
    run(sleep_an_hour(), options);
    EXPECT_EQ(clock.now(), start + 1h);
    options.loop.tick_budget = 0;
    EXPECT_THROW(run(give(1), options), std::invalid_argument);
}

// Raises once it has come to wait, by means of a sibling.
task<> raise_soon(int signal) {
    co_await yield();
    raise(signal);
}

task<int> wait_for_signal(int signal, test::ending& end) {
    scope s;
    s.spawn(raise_soon(signal));
    EXPECT_FALSE(co_await stop_requested());
    co_await test::observe(sleep_an_hour(), end);
    EXPECT_TRUE(co_await stop_requested());
    try {
        co_await s.join();
    } catch (const canceled&) {
    }
    co_return 5;
}

TEST(RunTest, ASignalAsksTheMainTaskToStop) {
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
        test::ending end{};
        EXPECT_EQ(run(wait_for_signal(signal, end), on_signals({SIGINT, SIGTERM, SIGUSR1})), 5);
        EXPECT_EQ(end, test::ending::canceled);
    }
}

task<> raise_and_sleep(int signal) {
    raise(signal);
    co_await sleep_for(1h);
}

TEST(RunTest, ATaskThatEndsByTheSignalIsCanceled) {
    EXPECT_THROW(run(raise_and_sleep(SIGINT), on_signals({SIGINT})), canceled);
}

task<bool> ask_whether_blocked(int signal) { co_return is_blocked(signal); }

TEST(RunTest, SignalsAreBlockedOnlyWhileTheTaskRuns) {
    EXPECT_FALSE(is_blocked(SIGUSR2));
    EXPECT_TRUE(run(ask_whether_blocked(SIGUSR2), on_signals({SIGUSR2})));
    EXPECT_FALSE(is_blocked(SIGUSR2));
    EXPECT_THROW(run(fail(), on_signals({SIGUSR2})), std::runtime_error);
    EXPECT_FALSE(is_blocked(SIGUSR2));
    EXPECT_FALSE(run(ask_whether_blocked(SIGUSR2)));
}

TEST(RunTest, ASignalThatWasBlockedBeforeStaysBlocked) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    EXPECT_EQ(run(give(1), on_signals({SIGUSR2})), 1);
    EXPECT_TRUE(is_blocked(SIGUSR2));
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

task<> see_old_handlers_after_the_first(int signal, bool& blocked_before, bool& blocked_after) {
    blocked_before = is_blocked(signal);
    raise(signal);
    test::ending end{};
    co_await test::observe(sleep_an_hour(), end);
    EXPECT_EQ(end, test::ending::canceled);
    blocked_after = is_blocked(signal);
}

TEST(RunTest, AfterTheFirstSignalTheyActAsBefore) {
    bool blocked_before = false;
    bool blocked_after = true;
    run(see_old_handlers_after_the_first(SIGUSR1, blocked_before, blocked_after),
        on_signals({SIGUSR1}));
    EXPECT_TRUE(blocked_before);
    EXPECT_FALSE(blocked_after);
}

task<> ignore_stops(int signal) {
    raise(signal);
    while (true) {
        try {
            co_await sleep_for(1ms);
        } catch (const canceled&) {
            raise(signal);
        }
    }
}

TEST(RunDeathTest, ASecondSignalEndsAProgramThatDoesNotListen) {
    EXPECT_EXIT(run(ignore_stops(SIGINT), on_signals({SIGINT})), testing::KilledBySignal(SIGINT),
                "");
}

// Waits under `own`, which the first signal stops, then for the stop of the second one.
task<int> end_in_two_steps(int signal, stop_source& own, test::ending& first,
                           test::ending& second) {
    scope s;
    s.spawn(raise_soon(signal));
    co_await test::observe(with_stop(own, sleep_an_hour()), first);
    EXPECT_FALSE(co_await stop_requested());
    EXPECT_TRUE(is_blocked(signal));
    s.spawn(raise_soon(signal));
    co_await test::observe(sleep_an_hour(), second);
    EXPECT_TRUE(co_await stop_requested());
    EXPECT_FALSE(is_blocked(signal));
    try {
        co_await s.join();
    } catch (const canceled&) {
    }
    co_return 6;
}

TEST(RunTest, TheFirstSignalCallsAFunctionAndTheSecondAsksToStop) {
    stop_source own;
    run_options options = on_signals({SIGINT, SIGTERM});
    int calls = 0;
    options.on_first_signal = [&own, &calls] {
        ++calls;
        own.request_stop();
    };
    test::ending first{};
    test::ending second{};
    EXPECT_EQ(run(end_in_two_steps(SIGTERM, own, first, second), options), 6);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(first, test::ending::canceled);
    EXPECT_EQ(second, test::ending::canceled);
}

task<int> wait_under(int signal, stop_source& own) {
    raise(signal);
    test::ending end{};
    co_await test::observe(with_stop(own, sleep_an_hour()), end);
    EXPECT_EQ(end, test::ending::canceled);
    co_return 7;
}

TEST(RunTest, ATaskThatDrainsAtTheFirstSignalReturnsItsValue) {
    stop_source own;
    run_options options = on_signals({SIGINT});
    options.on_first_signal = [&own] { own.request_stop(); };
    EXPECT_EQ(run(wait_under(SIGINT, own), options), 7);
    EXPECT_FALSE(is_blocked(SIGINT));
}

TEST(RunTest, WithoutASignalTheFunctionIsNotCalled) {
    run_options options = on_signals({SIGINT});
    bool called = false;
    options.on_first_signal = [&called] { called = true; };
    EXPECT_EQ(run(give(3), options), 3);
    EXPECT_FALSE(called);
}

TEST(RunTest, WhatTheFunctionThrowsStopsTheTaskAndEndsTheRun) {
    run_options options = on_signals({SIGINT});
    options.on_first_signal = [] { throw std::runtime_error("the function failed"); };
    EXPECT_THROW(run(raise_and_sleep(SIGINT), options), std::runtime_error);
    EXPECT_FALSE(is_blocked(SIGINT));
}

task<> signal_from_thread(test::ending& end) {
    const pid_t process = getpid();
    std::jthread killer([process] { kill(process, SIGINT); });
    co_await test::observe(sleep_an_hour(), end);
}

TEST(RunTest, ASignalToTheProcessStopsAsWell) {
    test::ending end{};
    run(signal_from_thread(end), on_signals({SIGINT}));
    EXPECT_EQ(end, test::ending::canceled);
}

// Whether run() failed for want of memory with the nth allocation failing.
bool fails_without_allocation(std::size_t nth, const run_options& options) {
    task<int> main = give(9);
    const test::allocation_failure failure(nth);
    try {
        EXPECT_EQ(run(std::move(main), options), 9);
    } catch (const std::exception&) {
        EXPECT_TRUE(failure.triggered());
    }
    return failure.triggered();
}

TEST(RunTest, EveryAllocationMayFailAndNothingStaysOpen) {
    const test::unrecycled_frames fresh;
    const run_options options = on_signals({SIGUSR2});
    const std::size_t open_before = test::open_descriptors();
    std::size_t failures = 0;
    while (fails_without_allocation(failures, options) && failures < 100) {
        ++failures;
        EXPECT_EQ(test::open_descriptors(), open_before) << "after allocation " << failures;
        EXPECT_FALSE(is_blocked(SIGUSR2));
    }
    EXPECT_GE(failures, 5U);
    EXPECT_LT(failures, 100U);
}

task<std::string> dump_this() { co_return event_loop::current()->dump(); }

TEST(RunTest, TheMainTaskIsNamedInADump) {
    EXPECT_NE(run(dump_this()).find("\n  main: "), std::string::npos);
    // It is a child there, below what also waits for the signals.
    EXPECT_NE(run(dump_this(), on_signals({SIGUSR1})).find("    main: "), std::string::npos);
}

TEST(RunTest, ANumberThatIsNoSignalIsNamed) {
    try {
        run(give(1), on_signals({SIGINT, 4711}));
        ADD_FAILURE() << "4711 was taken";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::invalid_argument);
        EXPECT_NE(std::string(error.what()).find("4711 is not a signal; allowed: 1 to"),
                  std::string::npos);
    }
    EXPECT_FALSE(is_blocked(SIGINT));
}

}  // namespace
}  // namespace weir
