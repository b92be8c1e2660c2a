// batch_submit and batch_run over ranges of every kind.
#include <weir/pool/batch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ranges>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/pool_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;
using testing::IsEmpty;

// Later elements end first.
task<int> slow_first(int value) {
    co_await sleep_for(std::chrono::milliseconds(100 - value));
    co_return 10 * value;
}

task<> results_come_in_input_order() {
    pool p(sized(3, 2));
    const std::vector<int> input = {1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<int> values = co_await p.batch_run(slow_first, input);
    EXPECT_THAT(values, ElementsAre(10, 20, 30, 40, 50, 60, 70, 80));
    EXPECT_EQ(p.stats().max_running, 3U);
    EXPECT_LE(p.stats().max_queued, 2U);
}

TEST(PoolBatchTest, ResultsComeInTheOrderOfTheRange) {
    run_pool_test(results_come_in_input_order());
}

task<> handles_come_in_input_order() {
    pool p(sized(2, 1));
    const std::vector<int> input = {3, 1, 2, 5};
    std::vector<join_handle<int>> handles = co_await p.batch_submit(slow_first, input);
    EXPECT_EQ(handles.size(), 4U);
    std::vector<int> values;
    for (join_handle<int>& handle : handles) {
        values.push_back(co_await handle.join());
    }
    EXPECT_THAT(values, ElementsAre(30, 10, 20, 50));
}

TEST(PoolBatchTest, SubmitYieldsAHandleForEachElement) {
    run_pool_test(handles_come_in_input_order());
}

task<> submit_all(pool& p, gated& at, int count, std::vector<join_handle<int>>& handles) {
    auto call = [&at](int value) { return gated_job(at, value); };
    handles = co_await p.batch_submit(call, std::views::iota(0, count));
}

task<> batch_submit_waits_for_places() {
    pool p(sized(1, 2));
    gated at;
    std::vector<join_handle<int>> handles;
    scope s;
    s.spawn(submit_all(p, at, 6, handles));
    co_await settle();
    EXPECT_TRUE(handles.empty());
    EXPECT_EQ(p.stats().queued, 2U);
    EXPECT_EQ(p.stats().parked, 1U);
    at.go.set();
    co_await s.join();
    EXPECT_EQ(handles.size(), 6U);
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(PoolBatchTest, SubmitWaitsForPlacesAsOneSubmitDoes) {
    run_pool_test(batch_submit_waits_for_places());
}

task<> lazy_views_work() {
    pool p(sized(2, 2));
    int produced = 0;
    auto squares = std::views::iota(1, 6) | std::views::transform([&produced](int x) {
                       ++produced;
                       return x * x;
                   });
    const std::vector<int> values = co_await p.batch_run(value_job, squares);
    EXPECT_THAT(values, ElementsAre(1, 4, 9, 16, 25));
    EXPECT_EQ(produced, 5);
}

TEST(PoolBatchTest, LazyViewsAreWalkedOnce) { run_pool_test(lazy_views_work()); }

// Counts how far a batch has walked.
task<> walk(pool& p, gated& at, int& produced) {
    auto counted = std::views::iota(0, 100) | std::views::transform([&produced](int x) {
                       ++produced;
                       return x;
                   });
    auto call = [&at](int value) { return gated_job(at, value); };
    static_cast<void>(co_await p.batch_run(call, counted));
}

task<> a_lazy_range_is_produced_as_places_come() {
    pool p(sized(2, 3));
    gated at;
    int produced = 0;
    scope s;
    s.spawn(walk(p, at, produced));
    co_await settle();
    EXPECT_EQ(produced, 6);  // two run, three wait, one is parked
    at.go.set();
    co_await s.join();
    EXPECT_EQ(produced, 100);
    EXPECT_EQ(at.ended, 100);
}

TEST(PoolBatchTest, ALazyRangeIsProducedOnlyAsPlacesComeFree) {
    run_pool_test(a_lazy_range_is_produced_as_places_come());
}

task<> single_pass_ranges_work() {
    pool p(sized(2, 2));
    std::istringstream input("7 8 9");
    const std::vector<int> values =
        co_await p.batch_run(value_job, std::views::istream<int>(input));
    EXPECT_THAT(values, ElementsAre(7, 8, 9));
}

TEST(PoolBatchTest, SinglePassRangesWork) { run_pool_test(single_pass_ranges_work()); }

task<> ranges_of_tasks_work() {
    pool p(sized(1, 1));
    std::vector<task<int>> tasks;
    for (int value = 1; value <= 3; ++value) {
        tasks.push_back(value_job(value));
    }
    const std::vector<int> values = co_await p.batch_run(std::move(tasks));
    EXPECT_THAT(values, ElementsAre(1, 2, 3));
    auto lazy = std::views::iota(4, 7) | std::views::transform(value_job);
    const std::vector<int> more = co_await p.batch_run(lazy);
    EXPECT_THAT(more, ElementsAre(4, 5, 6));
    auto handles = co_await p.batch_submit(lazy);
    const int last = co_await handles[2].join();
    EXPECT_EQ(last, 6);
}

TEST(PoolBatchTest, RangesOfTasksWork) { run_pool_test(ranges_of_tasks_work()); }

task<> ranges_of_callables_work(test::tracked::counts& counts) {
    pool p(sized(1, 1));
    std::vector<std::function<int()>> functions;
    for (int value = 1; value <= 3; ++value) {
        const test::tracked capture(counts, value);
        functions.emplace_back([capture] { return capture.value(); });
    }
    const std::vector<int> values = co_await p.batch_run(functions);
    EXPECT_THAT(values, ElementsAre(1, 2, 3));
    auto made = std::views::iota(4, 6) | std::views::transform([&counts](int value) {
                    const test::tracked capture(counts, value);
                    return [capture] { return value_job(capture.value()); };
                });
    const std::vector<int> more = co_await p.batch_run(made);
    EXPECT_THAT(more, ElementsAre(4, 5));
}

TEST(PoolBatchTest, RangesOfCallablesWork) {
    test::tracked::counts counts;
    run_pool_test(ranges_of_callables_work(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

task<int> unbox(std::unique_ptr<int> box) { co_return *box; }

task<> elements_may_be_move_only() {
    pool p(sized(1, 1));
    auto boxes = std::views::iota(1, 4) |
                 std::views::transform([](int value) { return std::make_unique<int>(value); });
    const std::vector<int> values = co_await p.batch_run(unbox, boxes);
    EXPECT_THAT(values, ElementsAre(1, 2, 3));
}

TEST(PoolBatchTest, ElementsMayBeMoveOnly) { run_pool_test(elements_may_be_move_only()); }

task<std::unique_ptr<int>> box(int value) { co_return std::make_unique<int>(value); }

task<> results_may_be_move_only() {
    pool p(sized(2, 1));
    const std::vector<std::unique_ptr<int>> values =
        co_await p.batch_run(box, std::views::iota(1, 4));
    EXPECT_EQ(values.size(), 3U);
    EXPECT_EQ(*values[2], 3);
}

TEST(PoolBatchTest, ResultsMayBeMoveOnly) { run_pool_test(results_may_be_move_only()); }

task<> collect(int value, std::vector<int>& into) {
    into.push_back(value);
    co_return;
}

task<> void_batches_yield_nothing() {
    pool p(sized(1, 1));
    std::vector<int> seen;
    auto call = [&seen](int value) { return collect(value, seen); };
    co_await p.batch_run(call, std::views::iota(0, 4));
    EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3));
    auto handles = co_await p.batch_submit(call, std::views::iota(4, 6));
    co_await handles[1].join();
    EXPECT_EQ(seen.size(), 6U);
}

TEST(PoolBatchTest, ABatchWithoutResultsYieldsNothing) {
    run_pool_test(void_batches_yield_nothing());
}

task<> empty_ranges_are_legal() {
    pool p(sized(1, 1));
    const std::vector<int> none;
    const std::vector<int> values = co_await p.batch_run(value_job, none);
    EXPECT_THAT(values, IsEmpty());
    const auto handles = co_await p.batch_submit(value_job, none);
    EXPECT_TRUE(handles.empty());
    co_await p.batch_run(std::vector<task<>>());
    EXPECT_EQ(p.stats().submitted, 0U);
}

TEST(PoolBatchTest, AnEmptyRangeEndsAtOnce) { run_pool_test(empty_ranges_are_legal()); }

task<> functions_with_state_balance(test::tracked::counts& counts) {
    pool p(sized(2, 1));
    const test::tracked capture(counts, 5);
    auto work = [capture](int value) { return capture.value() + value; };
    const std::vector<int> values = co_await p.batch_run(work, std::views::iota(1, 4));
    EXPECT_THAT(values, ElementsAre(6, 7, 8));
    const auto handles = co_await p.batch_submit(owned(work), std::views::iota(1, 4));
    EXPECT_EQ(handles.size(), 3U);
    co_await p.drain();
}

TEST(PoolBatchTest, AFunctionWithStateDiesAsOftenAsItIsMade) {
    test::tracked::counts counts;
    run_pool_test(functions_with_state_balance(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

task<> options_hold_for_each_job() {
    pool p(sized(3, 0));
    submit_options brief;
    brief.named("nap").finish_within(std::chrono::milliseconds(98));
    const std::vector<int> input = {3, 4, 5};
    const std::vector<int> values = co_await p.batch_run(brief, slow_first, input);
    EXPECT_THAT(values, ElementsAre(30, 40, 50));
    const std::vector<int> longer = {3, 1, 4};  // the second one takes 99 ms
    std::string text;
    try {
        co_await p.batch_run(brief, slow_first, longer);
    } catch (const timed_out& error) {
        text = error.what();
    }
    EXPECT_EQ(text, "pool \"pool\": job \"nap\" timed out: it did not end within finish_within");
}

TEST(PoolBatchTest, OptionsHoldForEachJob) { run_pool_test(options_hold_for_each_job()); }

task<> ranges_of_callables_take_options_too() {
    pool p(sized(1, 0));
    submit_options late;
    late.named("late").start_within(duration::zero());
    std::vector<task<int>> tasks;
    tasks.push_back(slow_first(1));
    std::string text;
    try {
        co_await p.batch_run(late, std::move(tasks));
    } catch (const pool_error& error) {
        text = error.error() == pool_errc::expired ? "expired" : error.what();
    }
    EXPECT_EQ(text, "expired");
    submit_options named;
    named.named("number");
    std::vector<task<int>> numbers;
    numbers.push_back(slow_first(1));
    std::vector<join_handle<int>> handles = co_await p.batch_submit(named, std::move(numbers));
    EXPECT_NE(p.dump().find("number"), std::string::npos);
    const int first = co_await handles.front().join();
    EXPECT_EQ(first, 10);
    const std::vector<int> input = {2, 3};
    handles = co_await p.batch_submit(named, slow_first, input);
    EXPECT_NE(p.dump().find("number"), std::string::npos);
    for (join_handle<int>& handle : handles) {
        co_await handle.join();
    }
}

TEST(PoolBatchTest, RangesOfCallablesTakeOptionsToo) {
    run_pool_test(ranges_of_callables_take_options_too());
}

// A callable with a state that cannot be copied.
class boxed_call {
  public:
    explicit boxed_call(int value) : value_(std::make_unique<int>(value)) {}
    task<int> operator()() { co_return *value_; }

  private:
    std::unique_ptr<int> value_;
};

task<> callables_may_be_move_only() {
    pool p(sized(1, 1));
    std::vector<boxed_call> calls;
    std::vector<std::unique_ptr<int>> boxes;
    for (int value = 1; value <= 4; ++value) {
        calls.emplace_back(value);
        boxes.push_back(std::make_unique<int>(10 * value));
    }
    const std::vector<int> called = co_await p.batch_run(std::move(calls));
    EXPECT_THAT(called, ElementsAre(1, 2, 3, 4));
    const std::vector<int> unboxed = co_await p.batch_run(unbox, std::move(boxes));
    EXPECT_THAT(unboxed, ElementsAre(10, 20, 30, 40));
}

TEST(PoolBatchTest, ARangeMayOwnWhatCannotBeCopied) { run_pool_test(callables_may_be_move_only()); }

}  // namespace
}  // namespace weir
