#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <weir/runtime/process/signals.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

bool is_blocked(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

// ref: the stream is the test's.
task<> keep_next(signal_stream& signals, result<signal_info>& out) {
    out = co_await signals.next();
}

task<> wait_for_signals() {
    signal_stream signals({SIGUSR1, SIGUSR2});
    result<signal_info> got = signal_info();
    scope s;
    s.spawn(keep_next(signals, got));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    EXPECT_EQ(::kill(::getpid(), SIGUSR1), 0);
    co_await s.join();
    EXPECT_EQ(got->signal, SIGUSR1);
    EXPECT_EQ(got->sender, ::getpid());
    EXPECT_EQ(got->user, ::getuid());
    EXPECT_EQ(got->code, SI_USER);

    raise(SIGUSR2);
    got = co_await signals.next();
    EXPECT_EQ(got->signal, SIGUSR2) << "also what is sent to the thread in particular";

    sigval value{};
    value.sival_int = 4711;
    EXPECT_EQ(::sigqueue(::getpid(), SIGUSR1, value), 0);
    got = co_await signals.next();
    EXPECT_EQ(got->value, 4711);
    EXPECT_EQ(got->code, SI_QUEUE);
}

TEST(SignalStreamTest, SignalsComeAsValues) { test::run_test(wait_for_signals()); }

task<> stop_the_wait() {
    signal_stream signals({SIGUSR1});
    result<signal_info> got = signal_info();
    scope s;
    s.spawn(keep_next(signals, got));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    s.request_stop();
    co_await s.join();
    EXPECT_FALSE(got);
    EXPECT_EQ(got.error(), std::errc::operation_canceled);
}

TEST(SignalStreamTest, AWaitIsStopped) { test::run_test(stop_the_wait()); }

TEST(SignalStreamTest, SignalsAreBlockedWhileItLives) {
    const std::size_t open = test::open_descriptors();
    {
        const signal_stream signals({SIGUSR1});
        EXPECT_TRUE(is_blocked(SIGUSR1));
        {
            const signal_stream others({SIGUSR1, SIGUSR2});
            EXPECT_TRUE(is_blocked(SIGUSR2));
        }
        EXPECT_TRUE(is_blocked(SIGUSR1)) << "it was before";
        EXPECT_FALSE(is_blocked(SIGUSR2));
    }
    EXPECT_FALSE(is_blocked(SIGUSR1));
    EXPECT_EQ(test::open_descriptors(), open);
}

TEST(SignalStreamDeathTest, WhatWasNotReadActsWhenItDies) {
    EXPECT_EXIT(
        {
            signal_stream signals({SIGTERM});
            raise(SIGTERM);
        },
        testing::KilledBySignal(SIGTERM), "");
}

TEST(SignalStreamTest, WhatIsNoSignalIsNamed) {
    const std::vector<int> numbers = {SIGINT, 4711};
    try {
        const signal_stream signals{std::span<const int>(numbers)};
        ADD_FAILURE() << "4711 was taken";
    } catch (const std::system_error& error) {
        EXPECT_NE(
            std::string(error.what()).find("signal_stream: 4711 is not a signal; allowed: 1 to 64"),
            std::string::npos);
    }
    EXPECT_FALSE(is_blocked(SIGINT));
}

}  // namespace
}  // namespace weir
