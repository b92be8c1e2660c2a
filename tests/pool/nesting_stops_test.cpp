// Stops, cancels, timeouts and failures of jobs that run on another job's slot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/when_all.hpp>

#include "support/pool_test.hpp"

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

task<int> run_gated(pool& p, gated& at) { co_return co_await p.run(gated_job, std::ref(at), 1); }

task<> cancel_reaches_the_guest() {
    pool p(sized(1, 1));
    gated at;
    auto host = co_await p.submit(run_gated, std::ref(p), std::ref(at));
    EXPECT_EQ(at.begun, 1);
    host.cancel();
    const std::string how = co_await ending_of(host);
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(at.ended, 0);
    EXPECT_EQ(p.stats().canceled, 2U);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolNestingStopsTest, CancelingAHostCancelsItsGuest) {
    run_pool_test(cancel_reaches_the_guest());
}

task<int> run_stubborn(pool& p, test::door& at) {
    co_return co_await p.run(test::stubborn_job, std::ref(at), 1);
}

task<> the_host_waits_for_its_guest() {
    pool p(sized(1, 1));
    test::door at;
    auto host = co_await p.submit(run_stubborn, std::ref(p), std::ref(at));
    host.cancel();
    co_await settle();
    EXPECT_FALSE(host.done());
    EXPECT_EQ(p.stats().running, 1U);
    at.open();
    const int value = co_await host.join();
    EXPECT_EQ(value, 1);
}

TEST(PoolNestingStopsTest, ACanceledHostEndsAfterItsGuest) {
    run_pool_test(the_host_waits_for_its_guest());
}

// Bodies that run on a slot at a time, seen from inside.
struct slot_watch {
    int bodies = 0;
    int most = 0;
    std::vector<std::string> events;
    void enter(const char* who) {
        most = std::max(most, ++bodies);
        events.emplace_back(who);
    }
    void leave() { --bodies; }
};

// A guest that works for ten seconds, unless it is stopped.
task<int> long_guest(slot_watch& watch) {
    watch.enter("guest begins");
    try {
        co_await sleep_for(10s);
        watch.events.emplace_back("guest ends");
    } catch (const canceled&) {
        watch.events.emplace_back("guest is stopped");
        watch.leave();
        throw;
    }
    watch.leave();
    co_return 7;
}

// Claims a queued job, and gives up waiting for it after a second.
task<std::string> gives_up(pool& p, slot_watch& watch, join_handle<int>& guest) {
    guest = co_await p.submit(long_guest, std::ref(watch));
    const std::string how = co_await ending_of(with_timeout(1s, test::joined(guest)));
    watch.enter("host goes on");
    co_await settle();
    watch.leave();
    co_return how;
}

task<> a_timeout_around_a_claimed_handle() {
    pool p(sized(1, 1));
    slot_watch watch;
    join_handle<int> guest;
    const time_point before = scheduler::current()->now();
    const std::string how = co_await p.run(gives_up, std::ref(p), std::ref(watch), std::ref(guest));
    EXPECT_EQ(how, "timed out");
    EXPECT_EQ(watch.most, 1) << "a slot runs one body at a time";
    EXPECT_THAT(watch.events, ElementsAre("guest begins", "guest is stopped", "host goes on"));
    EXPECT_LT(scheduler::current()->now() - before, duration(2s));
    co_await p.drain();
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolNestingStopsTest, ATimeoutAroundAClaimedJobStopsIt) {
    run_pool_test(a_timeout_around_a_claimed_handle());
}

// Claims, and is canceled meanwhile.
task<int> claims(pool& p, slot_watch& watch, join_handle<int>& guest) {
    guest = co_await p.submit(long_guest, std::ref(watch));
    co_return co_await guest.join();
}

task<> a_host_that_is_canceled_while_it_claims() {
    pool p(sized(1, 1));
    slot_watch watch;
    join_handle<int> guest;
    auto host = co_await p.submit(claims, std::ref(p), std::ref(watch), std::ref(guest));
    co_await settle();
    EXPECT_EQ(watch.bodies, 1);
    host.cancel();
    const std::string how = co_await ending_of(host);
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(watch.bodies, 0) << "the guest has ended before its host";
    EXPECT_EQ(p.stats().running, 0U);
    co_await p.drain();
}

TEST(PoolNestingStopsTest, AHostThatIsCanceledWhileItClaimsEndsAfterItsGuest) {
    run_pool_test(a_host_that_is_canceled_while_it_claims());
}

// A second branch waits for the turn on behalf of a queued job, and gives up; that job stays
// queued.
task<std::string> second_branch_gives_up(pool& p, gated& at, join_handle<int>& queued) {
    queued = co_await p.submit(gated_job, std::ref(at), 2);
    scope s;
    std::string first;
    std::string second;
    s.spawn(keep_ending(ending_of(test::ran(p, gated_job, std::ref(at), 1)), first));
    s.spawn(keep_ending(ending_of(with_timeout(1s, test::joined(queued))), second));
    co_await sleep_for(5s);
    EXPECT_EQ(second, "timed out");
    EXPECT_EQ(first, "pending");
    EXPECT_EQ(p.stats().queued, 1U);
    at.go.set();
    co_await s.join();
    co_return second;
}

task<> a_turn_that_is_given_up() {
    pool p(sized(1, 1));
    gated at;
    join_handle<int> queued;
    const std::string how =
        co_await p.run(second_branch_gives_up, std::ref(p), std::ref(at), std::ref(queued));
    EXPECT_EQ(how, "timed out");
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(1, 2));
    EXPECT_EQ(p.stats().running, 0U);
    EXPECT_EQ(p.stats().completed, 3U);
}

TEST(PoolNestingStopsTest, ABranchMayGiveUpWaitingForItsTurn) {
    run_pool_test(a_turn_that_is_given_up());
}

task<> branches(pool& p, gated& at, std::vector<std::string>& endings) {
    endings.resize(3);
    scope s;
    for (std::string& how : endings) {
        s.spawn(keep_ending(ending_of(test::ran(p, gated_job, std::ref(at), 1)), how));
    }
    co_await s.join();
}

task<> stop_reaches_waiting_guests() {
    pool p(sized(1, 1));
    gated at;
    std::vector<std::string> endings;
    co_await p.post(branches, std::ref(p), std::ref(at), std::ref(endings));
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_EQ(unstarted.size(), 2U) << "two guests waited for their turn";
    EXPECT_EQ(endings, std::vector<std::string>(3, "canceled"));
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolNestingStopsTest, StopEndsGuestsAndThoseThatWaitForTheirTurn) {
    run_pool_test(stop_reaches_waiting_guests());
}

task<int> fails() {
    co_await settle();
    throw std::runtime_error("guest failed");
}

task<int> run_fails(pool& p) { co_return co_await p.run(fails); }

task<> guests_fail_like_others() {
    error_log log;
    pool p(log.options(1, 0));
    const std::string how = co_await ending_of(test::ran(p, run_fails, std::ref(p)));
    EXPECT_EQ(how, "guest failed");
    EXPECT_TRUE(log.errors.empty());
    EXPECT_EQ(p.stats().failed, 2U);
}

TEST(PoolNestingStopsTest, AGuestsErrorReachesItsHost) { run_pool_test(guests_fail_like_others()); }

task<> post_fails(pool& p) {
    co_await p.post(fails);
    co_await p.post(fails);
}

task<> inlined_posts_report() {
    error_log log;
    pool p(log.options(1, 0));
    co_await p.run(post_fails, std::ref(p));
    EXPECT_THAT(log.errors, ElementsAre("guest failed", "guest failed"));
    EXPECT_EQ(p.stats().unobserved_errors, 2U);
    EXPECT_EQ(p.stats().completed, 1U);
}

TEST(PoolNestingStopsTest, AnInlinedPostThatFailsIsReported) {
    run_pool_test(inlined_posts_report());
}

task<> run_with_options(pool& p, submit_options options, gated& at, std::string& how) {
    how = "pending";
    try {
        co_await p.run(options, gated_job, std::ref(at), 2);
        how = "value";
    } catch (...) {
        how = test::in_words(std::current_exception());
    }
}

task<> turns_with_deadlines(pool& p, gated& at, std::vector<std::string>& endings) {
    endings.resize(3);
    scope s;
    s.spawn(run_with_options(p, submit_options(), at, endings[0]));
    s.spawn(run_with_options(p, submit_options().start_within(1s), at, endings[1]));
    s.spawn(run_with_options(p, submit_options().finish_within(2s), at, endings[2]));
    co_await sleep_for(1001ms);
    EXPECT_THAT(endings, ElementsAre("pending", "expired", "pending"));
    co_await sleep_for(1s);
    EXPECT_THAT(endings, ElementsAre("pending", "expired", "expired"));
    at.go.set();
    co_await s.join();
}

task<> waiting_guests_expire() {
    pool p(sized(1, 0));
    gated at;
    std::vector<std::string> endings;
    co_await p.run(turns_with_deadlines, std::ref(p), std::ref(at), std::ref(endings));
    EXPECT_THAT(endings, ElementsAre("value", "expired", "expired"));
    EXPECT_EQ(p.stats().expired, 2U);
}

TEST(PoolNestingStopsTest, AGuestThatWaitsForItsTurnExpiresInTime) {
    run_pool_test(waiting_guests_expire());
}

task<std::string> guest_times_out(pool& p, gated& at) {
    std::string how;
    co_await run_with_options(p, submit_options().finish_within(1s), at, how);
    co_return how;
}

task<> guests_time_out() {
    pool p(sized(1, 0));
    gated at;
    const std::string how = co_await p.run(guest_times_out, std::ref(p), std::ref(at));
    EXPECT_EQ(how, "timed out");
}

TEST(PoolNestingStopsTest, AGuestTimesOutAsAnyOtherJob) { run_pool_test(guests_time_out()); }

task<int> run_in(pool& other, gated& at) {
    co_return co_await other.run(gated_job, std::ref(at), 1);
}

task<> a_stop_goes_through() {
    pool p(sized(1, 0));
    pool other(sized(1, 0));
    gated at;
    auto handle = co_await p.submit(run_in, std::ref(other), std::ref(at));
    EXPECT_EQ(other.stats().running, 1U);
    co_await p.stop();
    EXPECT_EQ(other.stats().running, 0U);
    EXPECT_EQ(other.stats().canceled, 1U);
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "canceled");
    const int open = co_await other.run(value_job, 3);
    EXPECT_EQ(open, 3);
}

TEST(PoolNestingStopsTest, AStopReachesARunInAnotherPoolAndNoMore) {
    run_pool_test(a_stop_goes_through());
}

}  // namespace
}  // namespace weir
