// Jobs that throw: whatever it is, it reaches whoever awaits the job, once, and the slot goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include <weir/pool/pool.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::ending_of;
using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;

// Neither an exception class of the standard library nor copyable without trace.
struct custom_error {
    int code;
};

template <class Error>
task<int> throwing(Error error, bool suspends) {
    if (suspends) {
        co_await settle();
    }
    throw Error(error);
}

template <class Error>
int throwing_plainly(Error error) {
    throw Error(error);
}

template <class Error>
task<std::optional<Error>> caught_from(join_handle<int>& handle) {
    std::optional<Error> caught;
    try {
        co_await handle.join();
    } catch (const Error& error) {
        caught = error;
    }
    co_return caught;
}

template <class Error>
task<std::optional<Error>> caught(pool& p, Error error, bool suspends) {
    auto handle = co_await p.submit(throwing<Error>, error, suspends);
    co_return co_await caught_from<Error>(handle);
}

template <class Error>
task<std::optional<Error>> caught_plainly(pool& p, Error error) {
    auto handle = co_await p.submit(throwing_plainly<Error>, error);
    co_return co_await caught_from<Error>(handle);
}

task<> any_type_reaches_the_handle() {
    pool p(sized(1, 1));
    for (const bool suspends : {false, true}) {
        const auto number = co_await caught(p, 42, suspends);
        EXPECT_EQ(number, 42);
        const auto custom = co_await caught(p, custom_error(7), suspends);
        EXPECT_EQ(custom->code, 7);
        const auto standard = co_await caught(p, std::out_of_range("far"), suspends);
        EXPECT_STREQ(standard->what(), "far");
    }
    EXPECT_EQ(p.stats().failed, 6U);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolExceptionsTest, AnyTypeReachesTheHandle) { run_pool_test(any_type_reaches_the_handle()); }

task<> plain_callables_may_throw() {
    pool p(sized(1, 1));
    const auto number = co_await caught_plainly(p, 42);
    EXPECT_EQ(number, 42);
    const auto standard = co_await caught_plainly(p, std::out_of_range("far"));
    EXPECT_STREQ(standard->what(), "far");
    EXPECT_EQ(p.stats().failed, 2U);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolExceptionsTest, PlainCallablesMayThrow) { run_pool_test(plain_callables_may_throw()); }

// Throws before there is a task to run.
task<int> refuses_to_begin(bool refuse) {
    if (refuse) {
        throw std::runtime_error("never began");
    }
    return value_job(1);
}

task<> invoking_may_throw() {
    pool p(sized(1, 1));
    const std::string how = co_await ending_of(test::ran(p, refuses_to_begin, true));
    EXPECT_EQ(how, "never began");
    const int value = co_await p.run(refuses_to_begin, false);
    EXPECT_EQ(value, 1);
    EXPECT_EQ(p.stats().failed, 1U);
    EXPECT_EQ(p.stats().completed, 1U);
}

TEST(PoolExceptionsTest, ACallableMayThrowBeforeItHasATask) { run_pool_test(invoking_may_throw()); }

task<int> throws_canceled(bool suspends) {
    if (suspends) {
        co_await settle();
    }
    throw canceled();
}

task<> a_slot_survives(bool suspends) {
    pool p(sized(1, 3));
    auto first = co_await p.submit(throws_canceled, suspends);
    auto second = co_await p.submit(throwing<int>, 42, suspends);
    auto third = co_await p.submit(value_job, 3);
    const std::string how = co_await ending_of(first);
    EXPECT_EQ(how, "canceled");
    const std::string other = co_await ending_of(second);
    EXPECT_EQ(other, "unknown");
    const int value = co_await third.join();
    EXPECT_EQ(value, 3);
    EXPECT_EQ(p.stats().failed, 2U);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolExceptionsTest, ASlotSurvivesWhateverItsJobThrows) {
    run_pool_test(a_slot_survives(false));
    run_pool_test(a_slot_survives(true));
}

// Can be moved so many times.
struct moves_few_times {
    explicit moves_few_times(int moves) : moves_left(moves) {}
    moves_few_times(moves_few_times&& other) : moves_left(other.moves_left - 1) {
        if (moves_left < 0) {
            throw std::runtime_error("would not move");
        }
    }
    int moves_left;
};

task<moves_few_times> return_moving(int moves) { co_return moves_few_times(moves); }
moves_few_times return_moving_plainly(int moves) { return moves_few_times(moves); }

task<> results_may_throw_when_moved() {
    pool p(sized(1, 1));
    const std::string how = co_await ending_of(test::ran(p, return_moving, 1));
    EXPECT_EQ(how, "would not move");
    const std::string plain = co_await ending_of(test::ran(p, return_moving_plainly, 0));
    EXPECT_EQ(plain, "would not move");
    EXPECT_EQ(p.stats().running, 0U);
    EXPECT_EQ(p.stats().failed, 2U);
}

TEST(PoolExceptionsTest, AResultThatThrowsWhenMovedFailsItsJob) {
    run_pool_test(results_may_throw_when_moved());
}

// Copies of it throw.
struct bad_copy {
    bad_copy() = default;
    bad_copy(const bad_copy&) { throw std::runtime_error("would not copy"); }
};
// ref: the argument is the job's own, which outlives its body.
task<> take_bad_copy(const bad_copy&) { co_return; }

task<> arguments_may_throw_when_copied() {
    pool p(sized(1, 0));
    const bad_copy argument;
    std::string how = "value";
    try {
        co_await p.post(take_bad_copy, argument);
    } catch (const std::runtime_error& error) {
        how = error.what();
    }
    EXPECT_EQ(how, "would not copy");
    how = "value";
    try {
        [[maybe_unused]] const auto handle = p.try_submit(take_bad_copy, argument);
    } catch (const std::runtime_error& error) {
        how = error.what();
    }
    EXPECT_EQ(how, "would not copy");
    EXPECT_EQ(p.stats().submitted, 0U);
    const int value = co_await p.run(value_job, 1);
    EXPECT_EQ(value, 1);
}

TEST(PoolExceptionsTest, ArgumentsThatThrowWhenCopiedThrowFromTheCall) {
    run_pool_test(arguments_may_throw_when_copied());
}

task<> rethrown_once() {
    pool p(sized(1, 1));
    auto handle = co_await p.submit(throwing<int>, 1, true);
    const std::string first = co_await ending_of(handle);
    EXPECT_EQ(first, "unknown");
    EXPECT_FALSE(handle.valid());
    EXPECT_EQ(p.stats().unobserved_errors, 0U);
}

TEST(PoolExceptionsTest, AnErrorIsRethrownOnce) { run_pool_test(rethrown_once()); }

}  // namespace
}  // namespace weir
