// Who gets a slot or a place in the queue, and in which order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;

// Tells in `passed` when each submitter goes on.
task<> post_and_tell(pool& p, gated& at, int value, std::vector<int>& passed) {
    co_await p.post(gated_job, std::ref(at), value);
    passed.push_back(value);
}

// Fills slots and queue with jobs that wait at `full`.
task<> fill(pool& p, gated& full, std::size_t concurrency, std::size_t queue) {
    for (std::size_t count = 0; count < concurrency + queue; ++count) {
        co_await p.post(gated_job, std::ref(full), static_cast<int>(count));
    }
}

class PoolBoundsTest : public testing::TestWithParam<std::tuple<int, int>> {
  protected:
    static std::size_t concurrency() { return static_cast<std::size_t>(std::get<0>(GetParam())); }
    static std::size_t queue() { return static_cast<std::size_t>(std::get<1>(GetParam())); }
};

task<> submit_waits_when_full(std::size_t concurrency, std::size_t queue) {
    pool p(sized(concurrency, queue));
    gated full;
    gated later;
    std::vector<int> passed;
    scope s;
    co_await fill(p, full, concurrency, queue);
    EXPECT_EQ(full.begun, static_cast<int>(concurrency));
    for (int value = 1; value <= 3; ++value) {
        s.spawn(post_and_tell(p, later, value, passed));
    }
    co_await settle();
    EXPECT_EQ(p.stats().queued, queue);
    EXPECT_EQ(p.stats().parked, 3U);
    EXPECT_TRUE(passed.empty());
    full.go.set();
    co_await settle();
    EXPECT_EQ(passed.size(), std::min<std::size_t>(3, concurrency + queue));
    later.go.set();
    co_await s.join();
    EXPECT_THAT(passed, ElementsAre(1, 2, 3));
    EXPECT_EQ(p.stats().parked, 0U);
    EXPECT_EQ(p.stats().max_running, concurrency);
    EXPECT_EQ(p.stats().max_queued, queue);
    co_await p.drain();
    EXPECT_THAT(later.order, ElementsAre(1, 2, 3));
}

TEST_P(PoolBoundsTest, SubmitWaitsWhenTheQueueIsFull) {
    run_pool_test(submit_waits_when_full(concurrency(), queue()));
}

task<> each_end_admits_one(std::size_t concurrency, std::size_t queue) {
    pool p(sized(concurrency, queue));
    std::vector<std::unique_ptr<gated>> gates;
    std::vector<int> passed;
    scope s;
    const int count = static_cast<int>(concurrency + queue) + 4;
    for (int value = 0; value < count; ++value) {
        gates.push_back(std::make_unique<gated>());
        s.spawn(post_and_tell(p, *gates.back(), value, passed));
    }
    co_await settle();
    for (int value = 0; value < count; ++value) {
        const std::size_t admitted =
            std::min<std::size_t>(gates.size(), concurrency + queue + static_cast<unsigned>(value));
        EXPECT_EQ(passed.size(), admitted);
        EXPECT_EQ(gates[static_cast<std::size_t>(value)]->begun, 1) << "in the order of submission";
        gates[static_cast<std::size_t>(value)]->go.set();
        co_await settle();
    }
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(p.stats().completed, gates.size());
}

TEST_P(PoolBoundsTest, EachEndAdmitsTheFirstThatWaits) {
    run_pool_test(each_end_admits_one(concurrency(), queue()));
}

task<> try_submit_fails_when_full(std::size_t concurrency, std::size_t queue) {
    pool p(sized(concurrency, queue));
    gated full;
    std::vector<join_handle<int>> handles;
    for (std::size_t count = 0; count < concurrency + queue; ++count) {
        auto handle = p.try_submit(gated_job, std::ref(full), 1);
        EXPECT_TRUE(handle.has_value());
        handles.push_back(std::move(*handle));
    }
    const auto refused = p.try_submit(gated_job, std::ref(full), 1);
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(), pool_errc::full);
    co_await settle();
    EXPECT_EQ(full.begun, static_cast<int>(concurrency));
    full.go.set();
    for (join_handle<int>& handle : handles) {
        const int value = co_await handle.join();
        EXPECT_EQ(value, 1);
    }
    EXPECT_TRUE(p.try_submit(value_job, 1).has_value());
    co_await p.drain();
}

TEST_P(PoolBoundsTest, TrySubmitFailsAtOnceWhenFull) {
    run_pool_test(try_submit_fails_when_full(concurrency(), queue()));
}

INSTANTIATE_TEST_SUITE_P(Bounds, PoolBoundsTest,
                         testing::Combine(testing::Values(1, 2, 3),
                                          testing::Values(0, 1, 2, 3, 5)));

task<> keep_text(std::unique_ptr<std::string> text, gated& at) {
    ++at.begun;
    EXPECT_EQ(*text, "kept");
    co_return;
}

// A callable that tells whether it was moved from.
struct movable_callable {
    std::unique_ptr<int> state = std::make_unique<int>(1);
    task<> operator()(std::unique_ptr<std::string> text, gated& at) const {
        return keep_text(std::move(text), at);
    }
};

task<> try_submit_leaves_its_arguments_alone() {
    pool p(sized(1, 0));
    gated at;
    owned<movable_callable> work{movable_callable()};
    auto text = std::make_unique<std::string>("kept");
    auto running = co_await p.submit(gated_job, std::ref(at), 1);
    auto full = p.try_submit(std::move(work), std::move(text), std::ref(at));
    EXPECT_EQ(full.error(), pool_errc::full);
    EXPECT_NE(text, nullptr);
    at.go.set();
    co_await running.join();
    p.close();
    auto closed = p.try_submit(std::move(work), std::move(text), std::ref(at));
    EXPECT_EQ(closed.error(), pool_errc::closed);
    EXPECT_NE(text, nullptr);
    EXPECT_EQ(p.stats().rejected, 2U);
    pool other(sized(1, 0));
    auto taken = other.try_submit(std::move(work), std::move(text), std::ref(at));
    EXPECT_TRUE(taken.has_value());
    EXPECT_EQ(text, nullptr);
    co_await taken->join();
    EXPECT_EQ(at.begun, 2);
}

TEST(PoolAdmissionTest, TrySubmitLeavesCallableAndArgumentsUntouchedWhenItFails) {
    run_pool_test(try_submit_leaves_its_arguments_alone());
}

// Tries again and again to get in between.
task<> barge(pool& p, gated& at, int attempts, int& failures) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (p.stats().parked == 0) {
            co_return;
        }
        const auto handle = p.try_submit(gated_job, std::ref(at), 99);
        failures += handle.has_value() ? 0 : 1;
        co_await yield();
    }
}

task<> end_after(gated& at, int turns) {
    for (int turn = 0; turn < turns; ++turn) {
        co_await yield();
    }
    at.go.set();
}

task<> nobody_gets_in_between(std::size_t queue) {
    pool p(sized(1, queue));
    gated full;
    gated later;
    std::vector<int> passed;
    int failures = 0;
    scope s;
    co_await fill(p, full, 1, queue);
    for (int value = 1; value <= 2; ++value) {
        s.spawn(post_and_tell(p, later, value, passed));
    }
    co_await settle();
    EXPECT_EQ(p.stats().parked, 2U);
    s.spawn(barge(p, later, 30, failures));
    s.spawn(end_after(full, 10));
    s.spawn(barge(p, later, 30, failures));
    co_await settle();
    EXPECT_GE(failures, 20);
    later.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_THAT(later.order, ElementsAre(1, 2));
}

TEST(PoolAdmissionTest, TrySubmitFailsWhileAnyoneIsParked) {
    for (const std::size_t queue : {0U, 1U, 2U}) {
        run_pool_test(nobody_gets_in_between(queue));
    }
}

task<> a_place_in_the_queue_is_enough() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);  // queued: the submitter goes on
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(p.stats().queued, 1U);
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(1, 2));
}

TEST(PoolAdmissionTest, ASubmitterGoesOnWhenItsJobIsQueued) {
    run_pool_test(a_place_in_the_queue_is_enough());
}

task<> a_rendezvous_waits_for_a_slot() {
    pool p(sized(1, 0));
    gated first;
    gated second;
    std::vector<int> passed;
    scope s;
    co_await p.post(gated_job, std::ref(first), 1);
    s.spawn(post_and_tell(p, second, 2, passed));
    co_await settle();
    EXPECT_TRUE(passed.empty());
    EXPECT_EQ(second.begun, 0);
    first.go.set();
    co_await settle();
    EXPECT_THAT(passed, ElementsAre(2));
    EXPECT_EQ(second.begun, 1);
    EXPECT_EQ(p.stats().max_queued, 0U);
    second.go.set();
    co_await s.join();
    co_await p.drain();
}

TEST(PoolAdmissionTest, WithoutAQueueASubmitterMeetsAFreeSlot) {
    run_pool_test(a_rendezvous_waits_for_a_slot());
}

task<> latecomers_stand_behind() {
    pool p(sized(1, 1));
    gated at;
    std::vector<int> passed;
    scope s;
    for (int value = 0; value < 6; ++value) {
        s.spawn(post_and_tell(p, at, value, passed));
    }
    co_await settle();
    EXPECT_THAT(passed, ElementsAre(0, 1));
    at.go.set();
    // From here on jobs end at once; those that waited still come first.
    for (int value = 6; value < 9; ++value) {
        co_await p.post(gated_job, std::ref(at), value);
    }
    co_await s.join();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(PoolAdmissionTest, WhoComesLaterStandsBehindThoseWhoWait) {
    run_pool_test(latecomers_stand_behind());
}

task<> run_is_admitted_in_turn() {
    pool p(sized(1, 0));
    gated first;
    gated second;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(first), 1);
    s.spawn(test::keep_ending(test::ending_of(test::ran(p, gated_job, std::ref(second), 2)), how));
    co_await settle();
    EXPECT_EQ(p.stats().parked, 1U);
    first.go.set();
    co_await settle();
    EXPECT_EQ(p.stats().parked, 0U);
    EXPECT_EQ(second.begun, 1);
    EXPECT_EQ(how, "pending");
    second.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
}

TEST(PoolAdmissionTest, AParkedRunWaitsForItsTurnAndThenForItsEnd) {
    run_pool_test(run_is_admitted_in_turn());
}

// Its copies take a place in the pool.
struct submits_when_copied {
    pool* target;
    gated* at;
    submits_when_copied(pool& into, gated& gate) : target(&into), at(&gate) {}
    submits_when_copied(const submits_when_copied& other) : target(other.target), at(other.at) {
        auto other_job = target->try_submit(gated_job, std::ref(*at), 2);
        if (other_job) {
            other_job->detach();
        }
    }
    submits_when_copied(submits_when_copied&&) = default;
};
void take_it(submits_when_copied&& /*taken*/) {}

task<> a_copy_takes_the_last_place(std::size_t queue) {
    pool p(sized(1, queue));
    gated at;
    const submits_when_copied argument(p, at);
    for (std::size_t taken = 0; taken < queue; ++taken) {
        co_await p.post(gated_job, std::ref(at), 1);
    }
    auto refused = p.try_submit(take_it, argument);
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error(), pool_errc::full);
    EXPECT_EQ(p.stats().queued, queue);
    EXPECT_EQ(p.stats().submitted, queue + 1);
    at.go.set();
    co_await p.drain();
}

TEST(PoolAdmissionTest, TrySubmitNeverOverfillsThePool) {
    for (const std::size_t queue : {0U, 1U, 2U, 3U}) {
        run_pool_test(a_copy_takes_the_last_place(queue));
    }
}

}  // namespace
}  // namespace weir
