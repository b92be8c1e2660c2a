// submit_into: results that go to a promise of the caller's or of the job's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <weir/pool/pool.hpp>
#include <weir/runtime/stop.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::ending_of;
using test::error_log;
using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;
using testing::HasSubstr;

template <class T>
bool is_ready(const std::future<T>& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

template <class T>
std::string ending_of_future(std::future<T>& future) {
    try {
        static_cast<void>(future.get());
    } catch (...) {
        return test::in_words(std::current_exception());
    }
    return "value";
}

task<> an_lvalue_promise_is_used() {
    pool p(sized(1, 1));
    gated at;
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    co_await p.submit_into(promise, gated_job, std::ref(at), 5);
    EXPECT_FALSE(is_ready(future));
    at.go.set();
    co_await p.drain();
    EXPECT_TRUE(is_ready(future));
    EXPECT_EQ(future.get(), 5);
}

TEST(PoolSubmitIntoTest, APromiseGivenByNameIsTheCallersOwn) {
    run_pool_test(an_lvalue_promise_is_used());
}

task<> an_rvalue_promise_is_moved_in() {
    pool p(sized(1, 1));
    gated at;
    std::future<int> future;
    {
        std::promise<int> promise;
        future = promise.get_future();
        co_await p.submit_into(std::move(promise), gated_job, std::ref(at), 6);
    }
    EXPECT_FALSE(is_ready(future));
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(future.get(), 6);
}

TEST(PoolSubmitIntoTest, APromiseGivenAwayLivesInTheJob) {
    run_pool_test(an_rvalue_promise_is_moved_in());
}

void nothing() {}
task<std::unique_ptr<int>> box(int value) { co_return std::make_unique<int>(value); }

task<> any_value_goes() {
    pool p(sized(1, 1));
    std::promise<void> empty;
    std::future<void> done = empty.get_future();
    co_await p.submit_into(std::move(empty), nothing);
    done.get();
    std::promise<std::unique_ptr<int>> boxed;
    std::future<std::unique_ptr<int>> future = boxed.get_future();
    co_await p.submit_into(boxed, box, 7);
    EXPECT_EQ(*future.get(), 7);
}

TEST(PoolSubmitIntoTest, ValuesMayBeVoidOrMoveOnly) { run_pool_test(any_value_goes()); }

task<int> failing() {
    co_await settle();
    throw std::out_of_range("far");
}

task<> errors_go_to_the_promise() {
    error_log log;
    pool p(log.options(1, 1));
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    co_await p.submit_into(promise, failing);
    co_await p.drain();
    EXPECT_THROW(future.get(), std::out_of_range);
    EXPECT_TRUE(log.errors.empty());
    EXPECT_EQ(p.stats().failed, 1U);
}

TEST(PoolSubmitIntoTest, ErrorsGoToThePromise) { run_pool_test(errors_go_to_the_promise()); }

task<> a_promise_satisfied_elsewhere() {
    error_log log;
    pool p(log.options(1, 2));
    gated at;
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    co_await p.submit_into(promise, gated_job, std::ref(at), 5);
    auto next = co_await p.submit(value_job, 2);
    promise.set_value(99);
    at.go.set();
    const int value = co_await next.join();
    EXPECT_EQ(value, 2);
    EXPECT_EQ(future.get(), 99);
    EXPECT_EQ(at.ended, 1);
    EXPECT_EQ(p.stats().completed, 2U);
    EXPECT_EQ(log.errors.size(), 1U);
    EXPECT_THAT(log.errors[0], HasSubstr("already"));
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolSubmitIntoTest, APromiseThatOthersSatisfiedDoesNotKillTheSlot) {
    run_pool_test(a_promise_satisfied_elsewhere());
}

task<> an_error_for_a_satisfied_promise() {
    error_log log;
    pool p(log.options(1, 0));
    std::promise<int> promise;
    co_await p.submit_into(promise, failing);
    promise.set_exception(std::make_exception_ptr(std::runtime_error("mine")));
    co_await p.drain();
    EXPECT_EQ(log.errors.size(), 1U);
    std::future<int> future = promise.get_future();
    EXPECT_EQ(ending_of_future(future), "mine");
}

TEST(PoolSubmitIntoTest, AnErrorThatAPromiseRefusesIsReported) {
    run_pool_test(an_error_for_a_satisfied_promise());
}

task<> stopped_jobs_tell_their_promise() {
    pool p(sized(1, 1));
    gated at;
    std::promise<int> running;
    std::promise<int> queued;
    std::future<int> first = running.get_future();
    std::future<int> second = queued.get_future();
    co_await p.submit_into(running, gated_job, std::ref(at), 1);
    co_await p.submit_into(queued, gated_job, std::ref(at), 2);
    co_await p.stop();
    EXPECT_EQ(ending_of_future(first), "canceled");
    EXPECT_EQ(ending_of_future(second), "canceled");
}

TEST(PoolSubmitIntoTest, AStopFailsThePromisesOfWhatItEnds) {
    run_pool_test(stopped_jobs_tell_their_promise());
}

task<> submit_into_from(pool& p, std::promise<int>& promise, gated& at) {
    co_await p.submit_into(promise, gated_job, std::ref(at), 3);
}

task<> refusals_leave_the_promise() {
    pool p(sized(1, 0));
    gated at;
    std::promise<int> promise;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    s.spawn(test::keep_ending(ending_of(submit_into_from(p, promise, at)), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    p.close();
    co_await s.join();
    EXPECT_EQ(how, "closed");
    promise.set_value(1);  // nobody has touched it
    at.go.set();
    co_await p.drain();
}

TEST(PoolSubmitIntoTest, ASubmitThatIsRefusedLeavesThePromiseAlone) {
    run_pool_test(refusals_leave_the_promise());
}

task<> give_away(pool& p, std::promise<int> promise, gated& at) {
    co_await p.submit_into(std::move(promise), gated_job, std::ref(at), 3);
}

task<> a_refused_promise_breaks() {
    pool p(sized(1, 0));
    gated at;
    p.close();
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    const std::string how = co_await ending_of(give_away(p, std::move(promise), at));
    EXPECT_EQ(how, "closed");
    EXPECT_THAT(ending_of_future(future), HasSubstr("roken promise"));
}

TEST(PoolSubmitIntoTest, APromiseGivenAwayToARefusedSubmitBreaks) {
    run_pool_test(a_refused_promise_breaks());
}

// Anything with set_value and set_exception.
struct slot_for_int {
    std::optional<int> value;
    std::exception_ptr error;
    void set_value(int got) { value = got; }
    void set_exception(std::exception_ptr got) { error = std::move(got); }
};

task<> other_promises_work() {
    pool p(sized(1, 0));
    slot_for_int good;
    slot_for_int bad;
    co_await p.submit_into(good, value_job, 8);
    co_await p.submit_into(bad, failing);
    co_await p.drain();
    EXPECT_EQ(good.value, 8);
    EXPECT_FALSE(bad.value.has_value());
    EXPECT_EQ(test::in_words(bad.error), "far");
}

TEST(PoolSubmitIntoTest, AnyTypeWithAPromisesSettersWorks) { run_pool_test(other_promises_work()); }

// Ready only when the slot is free again.
struct looks_at_pool {
    const pool* target;
    std::size_t running = 99;
    void set_value(int) { running = target->stats().running; }
    void set_exception(const std::exception_ptr&) {}
};

task<> the_slot_is_free_first() {
    pool p(sized(1, 0));
    looks_at_pool look(&p);
    co_await p.submit_into(look, value_job, 1);
    EXPECT_EQ(look.running, 0U);
}

TEST(PoolSubmitIntoTest, TheSlotIsFreeBeforeThePromiseIsSet) {
    run_pool_test(the_slot_is_free_first());
}

}  // namespace
}  // namespace weir
