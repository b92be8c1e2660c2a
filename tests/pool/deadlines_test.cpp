// The three deadlines of a job: admitted by, started by, finished by.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/pool_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::ending_of;
using test::error_log;
using test::gated;
using test::gated_job;
using test::keep_ending;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;

submit_options admit_within(duration length) { return submit_options().admit_within(length); }
submit_options start_within(duration length) { return submit_options().start_within(length); }
submit_options finish_within(duration length) { return submit_options().finish_within(length); }

task<> post_with(pool& p, submit_options options, gated& at, int value) {
    co_await p.post(options, gated_job, std::ref(at), value);
}
task<int> run_with(pool& p, submit_options options, gated& at, int value) {
    co_return co_await p.run(options, gated_job, std::ref(at), value);
}

task<> admission_times_out() {
    pool p(sized(1, 0));
    gated at;
    std::string first;
    std::string second;
    std::string third;
    scope s;
    co_await p.post(gated_job, std::ref(at), 0);
    s.spawn(keep_ending(ending_of(post_with(p, admit_within(2s), at, 1)), first));
    s.spawn(keep_ending(ending_of(run_with(p, admit_within(1s), at, 2)), second));
    s.spawn(keep_ending(ending_of(post_with(p, submit_options(), at, 3)), third));
    co_await sleep_for(999ms);
    EXPECT_EQ(second, "pending");
    co_await sleep_for(2ms);
    EXPECT_EQ(second, "admission_timed_out");
    EXPECT_EQ(first, "pending");
    EXPECT_EQ(p.stats().parked, 2U);
    co_await sleep_for(1s);
    EXPECT_EQ(first, "admission_timed_out");
    EXPECT_EQ(third, "pending");
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(third, "value");
    EXPECT_THAT(at.order, ElementsAre(0, 3));
    EXPECT_EQ(p.stats().rejected, 2U);
    EXPECT_EQ(p.stats().submitted, 2U);
}

TEST(PoolDeadlinesTest, WhoIsNotAdmittedInTimeIsRefused) { run_pool_test(admission_times_out()); }

task<> an_admitted_job_has_no_admission_deadline() {
    pool p(sized(1, 1));
    gated at;
    co_await post_with(p, admit_within(1s), at, 1);
    co_await post_with(p, admit_within(1s), at, 2);
    co_await sleep_for(5s);
    EXPECT_EQ(p.stats().running, 1U);
    EXPECT_EQ(p.stats().queued, 1U);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 2);
}

TEST(PoolDeadlinesTest, AnAdmittedJobHasNoAdmissionDeadlineAnyMore) {
    run_pool_test(an_admitted_job_has_no_admission_deadline());
}

task<> admission_now_or_never() {
    pool p(sized(1, 1));
    gated at;
    for (const duration length : {duration(0s), duration(-1s)}) {
        const std::string admitted = co_await ending_of(post_with(p, admit_within(length), at, 1));
        EXPECT_EQ(admitted, "value");
    }
    for (const duration length : {duration(0s), duration(-1s)}) {
        const std::string refused = co_await ending_of(post_with(p, admit_within(length), at, 2));
        EXPECT_EQ(refused, "admission_timed_out");
    }
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(1, 1));
}

TEST(PoolDeadlinesTest, ZeroMeansAdmittedNowOrNotAtAll) { run_pool_test(admission_now_or_never()); }

task<> a_queued_job_expires() {
    pool p(sized(1, 1));
    gated at;
    std::string parked;
    scope s;
    co_await p.post(gated_job, std::ref(at), 0);
    const submit_options soon = start_within(1s);
    auto handle = co_await p.submit(soon, gated_job, std::ref(at), 1);
    s.spawn(keep_ending(ending_of(post_with(p, submit_options(), at, 2)), parked));
    co_await sleep_for(999ms);
    EXPECT_FALSE(handle.done());
    EXPECT_EQ(parked, "pending");
    co_await sleep_for(2ms);
    EXPECT_TRUE(handle.done());
    EXPECT_EQ(parked, "value") << "its place is granted at once";
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "expired");
    EXPECT_EQ(p.stats().expired, 1U);
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(0, 2));
    EXPECT_EQ(p.stats().started, 2U);
}

TEST(PoolDeadlinesTest, AJobThatIsNotStartedInTimeNeverRuns) {
    run_pool_test(a_queued_job_expires());
}

task<> a_parked_job_expires() {
    pool p(sized(1, 0));
    gated at;
    std::string posted;
    std::string run;
    scope s;
    co_await p.post(gated_job, std::ref(at), 0);
    s.spawn(keep_ending(ending_of(post_with(p, start_within(1s), at, 1)), posted));
    s.spawn(keep_ending(ending_of(run_with(p, start_within(1s).admit_within(2s), at, 2)), run));
    co_await sleep_for(1001ms);
    EXPECT_EQ(posted, "expired");
    EXPECT_EQ(run, "expired");
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(0));
    co_await s.join();
}

TEST(PoolDeadlinesTest, AJobMayExpireBeforeItIsAdmitted) { run_pool_test(a_parked_job_expires()); }

task<> a_started_job_does_not_expire() {
    pool p(sized(1, 0));
    gated at;
    const submit_options soon = start_within(1s);
    auto handle = co_await p.submit(soon, gated_job, std::ref(at), 1);
    co_await sleep_for(5s);
    EXPECT_FALSE(handle.done());
    at.go.set();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 1);
}

TEST(PoolDeadlinesTest, AStartedJobHasNoStartDeadlineAnyMore) {
    run_pool_test(a_started_job_does_not_expire());
}

// Takes long without giving the loop a turn.
task<> hog(manual_clock& clock, gated& at) {
    co_await at.go.wait();
    clock.advance(2s);
}

task<> time_passes_in_the_ready_queue(manual_clock& clock) {
    pool p(sized(1, 1));
    gated at;
    gated never;
    const submit_options soon = start_within(1s);
    auto hogging = co_await p.submit(hog, std::ref(clock), std::ref(at));
    auto late = co_await p.submit(soon, gated_job, std::ref(never), 1);
    at.go.set();
    const std::string how = co_await ending_of(late);
    EXPECT_EQ(how, "expired");
    EXPECT_EQ(never.begun, 0);
    EXPECT_EQ(p.stats().expired, 1U);
    EXPECT_EQ(p.stats().running, 0U);
    co_await hogging.join();
}

TEST(PoolDeadlinesTest, AJobThatIsGrantedTooLateNeverRuns) {
    test::virtual_loop loop;
    loop.run(time_passes_in_the_ready_queue(loop.clock()));
}

task<> an_expired_job_frees_its_arguments(test::tracked::counts& counts) {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 0);
    const auto read = [](const test::tracked& value) { return value.value(); };
    const submit_options soon = start_within(1s);
    auto handle = co_await p.submit(soon, read, test::tracked(counts, 1));
    EXPECT_EQ(counts.alive(), 1);
    co_await sleep_for(2s);
    EXPECT_EQ(counts.alive(), 0);
    at.go.set();
    co_await p.drain();
    EXPECT_TRUE(handle.done());
    handle.cancel();
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "expired");
}

TEST(PoolDeadlinesTest, AnExpiredJobFreesItsArgumentsAtOnce) {
    test::tracked::counts counts;
    run_pool_test(an_expired_job_frees_its_arguments(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

task<> a_running_job_times_out() {
    pool p(sized(1, 1));
    gated at;
    gated next;
    const submit_options brief = finish_within(1s);
    auto handle = co_await p.submit(brief, gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(next), 2);
    co_await sleep_for(999ms);
    EXPECT_FALSE(handle.done());
    co_await sleep_for(2ms);
    EXPECT_TRUE(handle.done());
    EXPECT_EQ(next.begun, 1);
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "timed out");
    EXPECT_EQ(p.stats().failed, 1U);
    next.go.set();
    co_await queued.join();
    const std::string run = co_await ending_of(run_with(p, brief, at, 3));
    EXPECT_EQ(run, "timed out");
}

TEST(PoolDeadlinesTest, ARunningJobIsStoppedAtItsEnd) { run_pool_test(a_running_job_times_out()); }

task<> a_late_value_is_kept() {
    pool p(sized(1, 1));
    test::door at;
    const submit_options brief = finish_within(1s);
    auto handle = co_await p.submit(brief, test::stubborn_job, std::ref(at), 6);
    co_await sleep_for(5s);
    EXPECT_FALSE(handle.done());
    EXPECT_EQ(p.stats().running, 1U);
    at.open();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 6);
    EXPECT_EQ(p.stats().completed, 1U);
}

TEST(PoolDeadlinesTest, AValueThatComesLateIsKept) { run_pool_test(a_late_value_is_kept()); }

task<> an_early_end_counts() {
    pool p(sized(1, 1));
    const time_point before = scheduler::current()->now();
    const submit_options all = admit_within(1h).start_within(2h).finish_within(3h);
    const int value = co_await p.run(all, value_job, 1);
    EXPECT_EQ(value, 1);
    co_await p.drain();
    co_await settle();
    EXPECT_LT(scheduler::current()->now(), before + 1s) << "no timer is left behind";
}

TEST(PoolDeadlinesTest, AJobThatEndsInTimeLeavesNoTimer) { run_pool_test(an_early_end_counts()); }

task<> finish_before_start() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 0);
    const submit_options brief = finish_within(1s);
    auto handle = co_await p.submit(brief, gated_job, std::ref(at), 1);
    co_await sleep_for(1001ms);
    EXPECT_TRUE(handle.done());
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "expired");
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(0));
}

TEST(PoolDeadlinesTest, AQueuedJobExpiresWhenItCannotFinishInTime) {
    run_pool_test(finish_before_start());
}

task<> time_queued_counts() {
    pool p(sized(1, 1));
    gated first;
    gated second;
    const time_point before = scheduler::current()->now();
    co_await p.post(gated_job, std::ref(first), 0);
    const submit_options brief = finish_within(3s);
    auto handle = co_await p.submit(brief, gated_job, std::ref(second), 1);
    co_await sleep_for(2s);
    first.go.set();
    co_await handle.ended();
    const duration took = scheduler::current()->now() - before;
    EXPECT_GE(took, duration(3s));
    EXPECT_LT(took, duration(3s + 1ms)) << "the time runs from the call, not from the start";
    EXPECT_EQ(second.begun, 1);
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "timed out");
}

TEST(PoolDeadlinesTest, TheTimeToFinishRunsFromTheCall) { run_pool_test(time_queued_counts()); }

task<> a_cancel_is_no_timeout() {
    pool p(sized(1, 1));
    gated at;
    const submit_options brief = finish_within(1s);
    auto handle = co_await p.submit(brief, gated_job, std::ref(at), 1);
    handle.cancel();
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(p.stats().canceled, 1U);
}

TEST(PoolDeadlinesTest, ACancelBeforeTheDeadlineIsNoTimeout) {
    run_pool_test(a_cancel_is_no_timeout());
}

task<> nobody_reads_it() {
    error_log log;
    pool p(log.options(1, 1));
    gated at;
    co_await post_with(p, finish_within(1s), at, 1);
    co_await post_with(p, start_within(500ms), at, 2);
    co_await sleep_for(2s);
    EXPECT_THAT(log.errors, ElementsAre("expired", "timed out"));
    EXPECT_EQ(p.stats().unobserved_errors, 2U);
    EXPECT_EQ(p.stats().running + p.stats().queued, 0U);
}

TEST(PoolDeadlinesTest, OnErrorIsToldOfPostedJobsThatRunOutOfTime) {
    run_pool_test(nobody_reads_it());
}

task<> endless_deadlines_do_not_wrap() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 0);
    const submit_options endless = admit_within(duration::max() - 1ns)
                                       .start_within(duration::max() - 1ns)
                                       .finish_within(duration::max() - 1ns);
    auto handle = co_await p.submit(endless, value_job, 4);
    co_await sleep_for(1h);
    EXPECT_FALSE(handle.done());
    at.go.set();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 4);
}

TEST(PoolDeadlinesTest, ADeadlineBeyondTheEndOfTimeIsNone) {
    run_pool_test(endless_deadlines_do_not_wrap());
}

}  // namespace
}  // namespace weir
