// Errors that nobody reads: told exactly once, and never of jobs that were asked to stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using test::run_pool_test;
using test::settle;
using test::value_job;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

task<int> fail_at_once(std::string text) {
    throw std::runtime_error(text);
    co_return 0;
}

// ref: the test's own.
task<int> fail_at_gate(gated& at, std::string text) {
    co_await at.go.wait();
    throw std::runtime_error(text);
}

void fail_plainly() { throw std::runtime_error("plain"); }

task<> posted_errors_are_told() {
    error_log log;
    pool p(log.options(1, 2));
    gated at;
    submit_options named;
    named.named("named");
    co_await p.post(fail_at_once, std::string("at once"));
    EXPECT_THAT(log.errors, ElementsAre("at once"));
    co_await p.post(fail_plainly);
    EXPECT_THAT(log.errors, ElementsAre("at once", "plain"));
    co_await p.post(named, fail_at_gate, std::ref(at), std::string("later"));
    co_await p.post(fail_at_once, std::string("queued"));
    EXPECT_EQ(log.errors.size(), 2U);
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(log.errors, ElementsAre("at once", "plain", "later", "queued"));
    EXPECT_EQ(log.jobs[0].id, 1U);
    EXPECT_EQ(log.jobs[2].id, 3U);
    EXPECT_STREQ(log.jobs[2].name, "named");
    EXPECT_STREQ(log.jobs[3].name, "job");
    EXPECT_EQ(p.stats().unobserved_errors, 4U);
    EXPECT_EQ(p.stats().failed, 4U);
}

TEST(PoolUnobservedErrorsTest, OnErrorIsToldOfPostedJobsThatFail) {
    run_pool_test(posted_errors_are_told());
}

task<> dropped_handles_tell() {
    error_log log;
    pool p(log.options(2, 0));
    gated at;
    auto before = co_await p.submit(fail_at_gate, std::ref(at), std::string("dropped before"));
    auto after = co_await p.submit(fail_at_gate, std::ref(at), std::string("dropped after"));
    before.detach();
    EXPECT_THAT(log.errors, IsEmpty());
    at.go.set();
    co_await settle();
    EXPECT_THAT(log.errors, ElementsAre("dropped before"));
    EXPECT_TRUE(after.done());
    after.detach();
    EXPECT_THAT(log.errors, ElementsAre("dropped before", "dropped after"));
    EXPECT_EQ(p.stats().unobserved_errors, 2U);
}

TEST(PoolUnobservedErrorsTest, OnErrorIsToldOfHandlesThatAreDroppedUnread) {
    run_pool_test(dropped_handles_tell());
}

task<> read_errors_are_not_told() {
    error_log log;
    pool p(log.options(1, 2));
    auto handle = co_await p.submit(fail_at_once, std::string("read"));
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "read");
    const std::string ran =
        co_await ending_of(test::ran(p, fail_at_once, std::string("also read")));
    EXPECT_EQ(ran, "also read");
    {
        auto scoped = scoped_handle<int>(co_await p.submit(fail_at_once, std::string("scoped")));
        auto joined = scoped.join();
        const std::string scoped_how = co_await ending_of(joined);
        EXPECT_EQ(scoped_how, "scoped");
    }
    EXPECT_THAT(log.errors, IsEmpty());
    EXPECT_EQ(p.stats().failed, 3U);
    EXPECT_EQ(p.stats().unobserved_errors, 0U);
}

TEST(PoolUnobservedErrorsTest, AnErrorThatWasReadIsNotToldAgain) {
    run_pool_test(read_errors_are_not_told());
}

task<> values_are_not_told() {
    error_log log;
    pool p(log.options(1, 2));
    {
        const auto dropped = co_await p.submit(value_job, 1);
    }
    co_await p.post(value_job, 2);
    EXPECT_THAT(log.errors, IsEmpty());
}

TEST(PoolUnobservedErrorsTest, DroppedValuesAreNoErrors) { run_pool_test(values_are_not_told()); }

task<> a_wait_that_was_stopped_reads_nothing() {
    error_log log;
    pool p(log.options(1, 0));
    gated at;
    stop_source source;
    std::string how;
    {
        auto handle = co_await p.submit(fail_at_gate, std::ref(at), std::string("unread"));
        scope s;
        s.spawn(test::keep_ending(ending_of(with_stop(source, test::joined(handle))), how));
        co_await settle();
        source.request_stop();
        co_await s.join();
        EXPECT_EQ(how, "canceled");
    }
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(log.errors, ElementsAre("unread"));
}

TEST(PoolUnobservedErrorsTest, AWaitThatWasStoppedHasNotReadTheError) {
    run_pool_test(a_wait_that_was_stopped_reads_nothing());
}

task<> cancels_itself() {
    throw canceled();
    co_return;
}

task<> canceled_without_a_stop_is_an_error() {
    error_log log;
    pool p(log.options(1, 0));
    co_await p.post(cancels_itself);
    EXPECT_THAT(log.errors, ElementsAre("canceled"));
    EXPECT_EQ(p.stats().failed, 1U);
    EXPECT_EQ(p.stats().canceled, 0U);
}

TEST(PoolUnobservedErrorsTest, CanceledThatNobodyAskedForIsAnError) {
    run_pool_test(canceled_without_a_stop_is_an_error());
}

task<> stopped_jobs_are_not_told() {
    error_log log;
    pool p(log.options(1, 2));
    gated at;
    co_await p.post(test::gated_job, std::ref(at), 1);
    co_await p.post(test::gated_job, std::ref(at), 2);
    co_await p.stop();
    EXPECT_THAT(log.errors, IsEmpty());
    EXPECT_EQ(p.stats().canceled, 2U);
}

TEST(PoolUnobservedErrorsTest, StopTellsNothing) { run_pool_test(stopped_jobs_are_not_told()); }

task<> throws_a_number() {
    throw 42;
    co_return;
}

task<> fails_without_a_handler() {
    pool_options options = test::sized(1, 2);
    options.name = "quiet";
    pool p(options);
    submit_options named;
    named.named("fetch");
    co_await p.post(named, fail_at_once, std::string("went wrong"));
    co_await p.post(throws_a_number);
    co_await p.drain();
    EXPECT_EQ(p.stats().unobserved_errors, 2U);
}

TEST(PoolUnobservedErrorsTest, WithoutAHandlerOneLineGoesToStandardError) {
    testing::internal::CaptureStderr();
    run_pool_test(fails_without_a_handler());
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "weir: pool \"quiet\": job \"fetch\" 1 failed unobserved: went wrong\n"
              "weir: pool \"quiet\": job \"job\" 2 failed unobserved\n");
}

}  // namespace
}  // namespace weir
