#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weir/runtime/thread/blocking.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/failing_allocations.hpp"
#include "support/held_call.hpp"
#include "support/run_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

[[nodiscard]] offload_options sized(std::size_t threads, std::size_t queue = 1024) {
    offload_options options;
    options.threads_max = threads;
    options.queue_max = queue;
    return options;
}

int add(int left, int right) { return left + right; }

task<> call_elsewhere() {
    offload_pool pool(sized(1));
    EXPECT_EQ(co_await blocking(pool, add, 1, 2), 3);
    EXPECT_NE(co_await blocking(pool, std::this_thread::get_id), std::this_thread::get_id());
    EXPECT_EQ(co_await blocking(add, 3, 4), 7) << "on the default pool";
}

TEST(BlockingTest, ACallRunsOnAnotherThreadAndYieldsItsValue) { test::run_test(call_elsewhere()); }

task<> kinds_of_values() {
    offload_pool pool(sized(1));
    int number = 1;
    const auto raise = [](int& value) -> int& { return ++value; };
    int& same = co_await blocking(pool, raise, std::ref(number));
    EXPECT_EQ(&same, &number);
    EXPECT_EQ(number, 2);
    const auto set = [](int& value) { value = 5; };
    co_await blocking(pool, set, std::ref(number));
    EXPECT_EQ(number, 5);
    auto owned = std::make_unique<int>(7);
    const auto pass = [](std::unique_ptr<int> value) { return value; };
    const std::unique_ptr<int> back = co_await blocking(pool, pass, std::move(owned));
    EXPECT_EQ(*back, 7);
    EXPECT_EQ(co_await blocking(pool, &std::string::size, std::string("four")), 4U);
}

TEST(BlockingTest, ValuesReferencesNothingAndWhatOnlyMovesGoThrough) {
    test::run_test(kinds_of_values());
}

int fail(int number) { throw std::runtime_error("failed with " + std::to_string(number)); }

task<> carry_exception() {
    offload_pool pool(sized(1));
    std::string text;
    try {
        static_cast<void>(co_await blocking(pool, fail, 3));
    } catch (const std::runtime_error& error) {
        text = error.what();
    }
    EXPECT_EQ(text, "failed with 3");
    EXPECT_EQ(co_await blocking(pool, add, 1, 1), 2) << "the thread goes on";
}

TEST(BlockingTest, AnExceptionIsRethrownByTheAwait) { test::run_test(carry_exception()); }

// ref: both outlive the task.
task<int> hold_in(offload_pool& pool, test::held_call& call, int value) {
    co_return co_await blocking(pool, test::hold, std::ref(call), value);
}

task<> loop_goes_on() {
    offload_pool pool(sized(1));
    test::held_call call;
    test::ending end{};
    scope s;
    s.spawn(test::observe(hold_in(pool, call, 1), end));
    co_await call.begun().wait();
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_NE(event_loop::current()->dump().find("blocking call"), std::string::npos);
    call.let_go();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(BlockingTest, TheLoopGoesOnWhileTheCallBlocks) { test::run_test(loop_goes_on()); }

task<> never_begun(bool& ran) {
    offload_pool pool(sized(1));
    const auto note = [&ran] { ran = true; };
    co_await blocking(pool, note);
}

TEST(BlockingTest, AStoppedTaskBeginsNothing) {
    bool ran = false;
    EXPECT_EQ(test::run_test(test::stopped_before(never_begun(ran))), test::ending::canceled);
    EXPECT_FALSE(ran);
}

task<> withdraw() {
    offload_pool pool(sized(1));
    test::held_call first;
    test::held_call second;
    stop_source source;
    test::ending end{};
    test::ending stopped{};
    scope s;
    s.spawn(test::observe(hold_in(pool, first, 1), end));
    co_await first.begun().wait();
    s.spawn(test::observe(with_stop(source, hold_in(pool, second, 2)), stopped));
    co_await test::settle();
    EXPECT_EQ(pool.stats().queued, 1U);
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(stopped, test::ending::canceled);
    EXPECT_EQ(end, test::ending::pending) << "the thread is still busy";
    EXPECT_EQ(pool.stats().queued, 0U);
    first.let_go();
    co_await s.join();
    EXPECT_EQ(co_await blocking(pool, add, 1, 1), 2);
    EXPECT_FALSE(second.begun().is_set());
}

TEST(BlockingTest, AStopWithdrawsACallThatHasNotBegun) { test::run_test(withdraw()); }

task<> value_wins() {
    offload_pool pool(sized(1));
    test::held_call call;
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(test::observe(with_stop(source, hold_in(pool, call, 1)), end));
    co_await call.begun().wait();
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending) << "the call still uses what its caller owns";
    call.let_go();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(BlockingTest, ACallThatRunsIsNotInterruptedAndItsValueWins) { test::run_test(value_wins()); }

// Blocks until it is asked to stop.
std::string wait_for_stop(std::stop_token token, test::held_call& call, const std::string& text) {
    call.let_go();
    call.hold();
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, std::move(token), [] { return false; });
    return text + " stopped";
}

// ref: both outlive the task.
task<> run_until_stop(offload_pool& pool, test::held_call& call, std::string& out) {
    out = co_await blocking(pool, wait_for_stop, std::ref(call), std::string("it"));
}

task<> ask_by_token() {
    offload_pool pool(sized(1));
    test::held_call call;
    stop_source source;
    std::string out;
    scope s;
    s.spawn(with_stop(source, run_until_stop(pool, call, out)));
    co_await call.begun().wait();
    EXPECT_EQ(out, "");
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out, "it stopped");
    const auto asked = [](const std::stop_token& token) { return token.stop_requested(); };
    EXPECT_FALSE(co_await blocking(pool, asked));
}

TEST(BlockingTest, ACallThatTakesATokenIsAskedToStop) { test::run_test(ask_by_token()); }

int value_of(const test::tracked& value) { return value.value(); }

task<> count_lives(test::tracked::counts& counts) {
    offload_pool pool(sized(1));
    EXPECT_EQ(co_await blocking(pool, value_of, test::tracked(counts, 3)), 3);
    EXPECT_EQ(counts.alive(), 0) << "the arguments end with the await";
}

TEST(BlockingTest, ArgumentsAreDestroyedOnce) {
    test::tracked::counts counts;
    test::run_test(count_lives(counts));
    EXPECT_EQ(counts.alive(), 0);
    EXPECT_GE(counts.constructed, 1);
}

task<std::size_t> count_allocations() {
    offload_pool pool(sized(1));
    for (int number = 0; number < 10; ++number) {
        static_cast<void>(co_await blocking(pool, add, number, 1));
    }
    const test::allocation_counter counter;
    for (int number = 0; number < 100; ++number) {
        static_cast<void>(co_await blocking(pool, add, number, 1));
    }
    co_return counter.allocations();
}

TEST(BlockingTest, AWarmLoopAllocatesNothingForACall) {
    EXPECT_EQ(test::run_test(count_allocations()), 0U);
}

int count_uses(const std::shared_ptr<int>& kept) { return *kept; }

task<> call_with(std::shared_ptr<int> alive) {
    offload_pool pool(sized(1));
    EXPECT_EQ(co_await blocking(pool, count_uses, alive), 1);
    const auto asked = [](const std::stop_token& token, const std::shared_ptr<int>& kept) {
        return token.stop_requested() ? 0 : *kept;
    };
    EXPECT_EQ(co_await blocking(pool, asked, alive), 1);
}

TEST(BlockingTest, AFailingAllocationIsAnErrorAndNothingLeaks) {
    const auto make = [](const std::shared_ptr<int>& alive) { return call_with(alive); };
    EXPECT_GE(test::fail_every_allocation(make), 3);
}

task<> refuse_when_full() {
    offload_pool pool(sized(1, 1));
    test::held_call first;
    scope s;
    s.spawn([](offload_pool& p, test::held_call& call) -> task<> {
        EXPECT_EQ(co_await try_blocking(p, test::hold, std::ref(call), 1), 1) << "a free thread";
    }(pool, first));
    co_await first.begun().wait();
    test::held_call second;
    s.spawn([](offload_pool& p, test::held_call& call) -> task<> {
        EXPECT_EQ(co_await try_blocking(p, test::hold, std::ref(call), 2), 2) << "a free place";
    }(pool, second));
    co_await test::settle();
    const result<int> third = co_await try_blocking(pool, add, 1, 2);
    EXPECT_EQ(third.error(), thread_errc::full);
    test::ending waiting{};
    s.spawn(test::observe(
        [](offload_pool& p) -> task<int> { co_return co_await blocking(p, add, 1, 2); }(pool),
        waiting));
    co_await test::settle();
    EXPECT_EQ(waiting, test::ending::pending) << "blocking() waits";
    first.let_go();
    second.let_go();
    co_await s.join();
    EXPECT_EQ(waiting, test::ending::value);
    const auto nothing = [] {};
    EXPECT_TRUE((co_await try_blocking(pool, nothing)).has_value());
}

TEST(BlockingTest, TryBlockingRefusesWhereBlockingWaits) { test::run_test(refuse_when_full()); }

task<> begin_in_order(std::vector<int>& log) {
    offload_pool pool(sized(1, 1));
    test::held_call first;
    scope s;
    test::ending end{};
    s.spawn(test::observe(hold_in(pool, first, 0), end));
    co_await first.begun().wait();
    for (int number = 1; number <= 4; ++number) {
        s.spawn([](offload_pool& p, std::vector<int>& into, int value) -> task<> {
            const auto note = [](std::vector<int>& numbers, int n) { numbers.push_back(n); };
            co_await blocking(p, note, std::ref(into), value);
        }(pool, log, number));
    }
    co_await test::settle();
    const offload_stats stats = pool.stats();
    EXPECT_EQ(stats.queued, 1U);
    EXPECT_EQ(stats.parked, 3U) << "callers that wait for a place of the queue";
    EXPECT_TRUE(log.empty());
    first.let_go();
    co_await s.join();
}

TEST(BlockingTest, CallsBeginInTheOrderOfTheirAwaits) {
    std::vector<int> log;
    test::run_test(begin_in_order(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 4}));
}

task<> destroy_too_early() {
    auto pool = std::make_unique<offload_pool>(sized(1));
    test::held_call call;
    test::ending end{};
    scope s;
    s.spawn(test::observe(hold_in(*pool, call, 1), end));
    co_await call.begun().wait();
    pool.reset();
    co_await s.join();
}

TEST(BlockingDeathTest, DestroyingAPoolUnderACallEndsTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(test::run_test(destroy_too_early()),
                 "an offload pool outlives the tasks that wait for its calls");
}

}  // namespace
}  // namespace weir
