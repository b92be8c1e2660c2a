// Every allocation of every way in fails once: the call throws, and the pool has lost nothing.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/pool/with_pool.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/failing_allocations.hpp"
#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::settle;
using test::sized;
using test::value_job;
using alive = std::shared_ptr<int>;

task<> hold(alive held, bool suspends) {
    if (suspends) {
        co_await yield();
    }
    static_cast<void>(held);
}

task<std::string> say(alive held) {
    co_await yield();
    static_cast<void>(held);
    co_return std::string(100, 'x');
}

void ignore_error(const std::exception_ptr&, const job_info&, void*) {}

// All slots and places are free and can be used, and the counts add up.
task<> expect_whole(pool& p) {
    co_await settle();
    EXPECT_EQ(p.stats().running + p.stats().queued + p.stats().parked, 0U);
    gated at;
    const std::size_t room = p.stats().max_concurrency + p.stats().max_queue_size;
    for (std::size_t job = 0; job < room; ++job) {
        EXPECT_TRUE(p.try_submit(gated_job, std::ref(at), 1).has_value());
    }
    EXPECT_EQ(p.try_submit(gated_job, std::ref(at), 1).error(), pool_errc::full);
    at.go.set();
    co_await settle();
    const pool_stats stats = p.stats();
    EXPECT_EQ(stats.submitted, stats.completed + stats.failed + stats.canceled);
}

task<> open_later(gated& at) {
    co_await settle();
    at.go.set();
}

// Submits to a pool of one slot and one place behind `ahead` other jobs, while an allocation fails:
// the first for `after` = 0. Yields whether it came to that.
template <class Submit>
task<bool> fail_once(Submit submit, alive held, int ahead, std::size_t after) {
    pool_options options = sized(1, 1);
    options.on_error = &ignore_error;
    pool p(options);
    gated at;
    scope s;
    for (int job = 0; job < ahead; ++job) {
        co_await p.post(gated_job, std::ref(at), job);
    }
    s.spawn(open_later(at));
    task<> submission = submit(p, std::move(held));
    bool failed = false;
    bool triggered = false;
    {
        const test::allocation_failure failure(after);
        try {
            co_await std::move(submission);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        triggered = failure.triggered();
    }
    submission = task<>();
    at.go.set();
    co_await s.join();
    co_await settle();
    EXPECT_EQ(failed || p.stats().failed > 0, triggered) << "an error goes somewhere";
    co_await expect_whole(p);
    co_await p.drain();
    co_return triggered;
}

// Every allocation of one way in, on a free slot, in the queue and in the park.
template <class Submit>
void fail_each(Submit submit) {
    const test::unrecycled_frames fresh;
    std::size_t seen = 0;
    for (const int ahead : {0, 1, 2}) {
        std::size_t failures = 0;
        for (bool triggered = true; triggered; ++failures) {
            SCOPED_TRACE(std::to_string(ahead) + " ahead, allocation " + std::to_string(failures));
            ASSERT_LT(failures, 100U) << "an allocation fails in every run";
            const auto held = std::make_shared<int>(1);
            test::virtual_loop loop;
            triggered = loop.run(fail_once(submit, held, ahead, failures));
            EXPECT_EQ(held.use_count(), 1) << "leaked";
            seen += triggered ? 1 : 0;
        }
    }
    EXPECT_GT(seen, 0U) << "nothing was allocated";
}

task<> post_it(pool& p, alive held) { co_await p.post(hold, held, true); }
task<> post_ending_at_once(pool& p, alive held) { co_await p.post(hold, held, false); }
task<> submit_it(pool& p, alive held) {
    const join_handle<> dropped = co_await p.submit(hold, held, true);
}
task<> post_with_options(pool& p, alive held) {
    const submit_options options =
        submit_options().named("held").finish_within(std::chrono::hours(1));
    co_await p.post(options, hold, held, true);
}
task<> post_something_large(pool& p, alive held) {
    const auto large = [held, filler = std::array<char, 200>()](bool suspends) {
        static_cast<void>(filler);
        return hold(held, suspends);
    };
    co_await p.post(large, true);
}
task<> submit_into_it(pool& p, alive held) {
    std::promise<std::string> promise;
    co_await p.submit_into(std::move(promise), say, held);
}

TEST(PoolFailingAllocationsTest, APostLosesNothing) {
    fail_each(post_it);
    fail_each(post_ending_at_once);
    fail_each(post_with_options);
    fail_each(post_something_large);
}

TEST(PoolFailingAllocationsTest, ASubmitLosesNothing) {
    fail_each(submit_it);
    fail_each(submit_into_it);
}

task<> try_it(pool& p, alive held) {
    static_cast<void>(p.try_submit(hold, held, true));
    co_return;
}

TEST(PoolFailingAllocationsTest, ATrySubmitLosesNothing) {
    const test::unrecycled_frames fresh;
    std::size_t failures = 0;
    for (bool triggered = true; triggered; ++failures) {
        SCOPED_TRACE(failures);
        const auto held = std::make_shared<int>(1);
        test::virtual_loop loop;
        triggered = loop.run(fail_once(try_it, held, 1, failures));
        EXPECT_EQ(held.use_count(), 1);
    }
    EXPECT_GT(failures, 1U);
}

task<> run_it(pool& p, alive held) { static_cast<void>(co_await p.run(say, held)); }
task<> submit_and_join(pool& p, alive held) {
    auto handle = co_await p.submit(say, held);
    static_cast<void>(co_await handle.join());
}

TEST(PoolFailingAllocationsTest, ARunLosesNothing) {
    fail_each(run_it);
    fail_each(submit_and_join);
}

task<> batch_run_it(pool& p, alive held) {
    const auto call = [held](int) { return say(held); };
    const std::vector<std::string> values = co_await p.batch_run(call, std::views::iota(0, 4));
    EXPECT_EQ(values.size(), 4U);
}
task<> batch_submit_it(pool& p, alive held) {
    const auto call = [held](int) { return say(held); };
    static_cast<void>(co_await p.batch_submit(call, std::views::iota(0, 4)));
}

TEST(PoolFailingAllocationsTest, ABatchLosesNothing) {
    fail_each(batch_run_it);
    fail_each(batch_submit_it);
}

task<> nests(pool& p, alive held) {
    auto queued = co_await p.submit(say, held);
    co_await p.post(hold, held, true);
    auto inlined = co_await p.submit(say, held);
    static_cast<void>(co_await p.run(say, held));
    static_cast<void>(co_await inlined.join());
    static_cast<void>(co_await queued.join());
}
task<> run_nests(pool& p, alive held) { co_await p.run(nests, std::ref(p), std::move(held)); }

TEST(PoolFailingAllocationsTest, NestingLosesNothing) { fail_each(run_nests); }

task<> resize_it(pool& p, alive held) {
    p.resize(0);
    co_await p.post(hold, held, true);
    try {
        p.resize(1);
    } catch (const std::bad_alloc&) {
        p.resize(1);
        throw;
    }
}

TEST(PoolFailingAllocationsTest, AResizeThatFailsCanBeRepeated) {
    const test::unrecycled_frames fresh;
    bool seen = false;
    std::size_t failures = 0;
    for (bool triggered = true; triggered; ++failures) {
        SCOPED_TRACE(failures);
        const auto held = std::make_shared<int>(1);
        test::virtual_loop loop;
        triggered = loop.run(fail_once(resize_it, held, 0, failures));
        seen = seen || triggered;
        EXPECT_EQ(held.use_count(), 1);
    }
    EXPECT_TRUE(seen);
}

// Stops a pool with a running and a queued job while an allocation fails; then again.
task<bool> stop_twice(alive held, std::size_t after) {
    pool p(sized(1, 2));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(hold, held, true);
    auto handle = co_await p.submit(hold, std::move(held), true);
    task<std::vector<job_info>> stopping = p.stop();
    std::vector<job_info> unstarted;
    bool failed = false;
    bool triggered = false;
    {
        const test::allocation_failure failure(after);
        try {
            unstarted = co_await std::move(stopping);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        triggered = failure.triggered();
    }
    EXPECT_EQ(failed, triggered);
    if (failed) {
        EXPECT_EQ(p.try_submit(gated_job, std::ref(at), 1).error(), pool_errc::closed);
        unstarted = co_await p.stop();
    }
    EXPECT_EQ(unstarted.size(), 2U);
    EXPECT_TRUE(handle.done());
    EXPECT_EQ(p.stats().canceled, 3U);
    co_return triggered;
}

TEST(PoolFailingAllocationsTest, AStopThatFailsCanBeRepeated) {
    const test::unrecycled_frames fresh;
    std::size_t failures = 0;
    for (bool triggered = true; triggered; ++failures) {
        SCOPED_TRACE(failures);
        const auto held = std::make_shared<int>(1);
        test::virtual_loop loop;
        triggered = loop.run(stop_twice(held, failures));
        EXPECT_EQ(held.use_count(), 1);
    }
    EXPECT_GT(failures, 1U);
}

task<> use_pool(pool& p, alive held) {
    auto handle = co_await p.submit(hold, held, true);
    static_cast<void>(co_await p.run(say, held));
    co_await handle.join();
}

TEST(PoolFailingAllocationsTest, WithPoolEndsAndLosesNothing) {
    const int failures = test::fail_every_allocation(
        [](const alive& held) { return with_pool(sized(1, 1), use_pool, held); });
    EXPECT_GT(failures, 3);
}

struct gave_up {};

// Leaves a running and a queued job behind, and the next allocation fails.
task<> leave_without_memory(pool& p, alive held, std::optional<test::allocation_failure>& failure) {
    gated at;
    co_await p.post(hold, held, true);
    co_await p.post(hold, held, true);
    auto handle = co_await p.submit(hold, std::move(held), true);
    handle.detach();
    failure.emplace(0);
    throw gave_up();
}

task<> with_pool_fails_without_memory(alive held) {
    std::optional<test::allocation_failure> failure;
    bool failed = false;
    try {
        co_await with_pool(sized(1, 2), leave_without_memory, std::move(held), std::ref(failure));
    } catch (const gave_up&) {
        failed = true;
    }
    EXPECT_TRUE(failed);
    EXPECT_FALSE(failure->triggered()) << "stopping needs no memory";
    failure.reset();
}

TEST(PoolFailingAllocationsTest, WithPoolNeedsNoMemoryToEnd) {
    const test::unrecycled_frames fresh;
    const auto held = std::make_shared<int>(1);
    test::virtual_loop loop;
    loop.run(with_pool_fails_without_memory(held));
    EXPECT_EQ(held.use_count(), 1);
}

// Drains a pool that is busy for ever while an allocation fails. Yields whether that failed, and
// whether the pool was stopped all the same.
task<std::pair<bool, bool>> drain_for_fails(std::size_t after) {
    pool p(sized(1, 2));
    gated at;
    for (int value = 0; value < 3; ++value) {
        co_await p.post(gated_job, std::ref(at), value);
    }
    task<drain_report> draining = p.drain_for(std::chrono::seconds(1));
    bool failed = false;
    {
        const test::allocation_failure failure(after);
        try {
            const drain_report report = co_await std::move(draining);
            EXPECT_EQ(report.unstarted.size(), 2U);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        EXPECT_EQ(failed, failure.triggered());
    }
    const bool stopped = p.stats().canceled == 3;
    EXPECT_TRUE(failed || stopped);
    static_cast<void>(co_await p.stop());
    co_return std::pair(failed, stopped);
}

TEST(PoolFailingAllocationsTest, ADrainForThatCannotNameJobsStopsThem) {
    const test::unrecycled_frames fresh;
    int nameless = 0;
    bool failed = true;
    for (std::size_t after = 0; failed; ++after) {
        SCOPED_TRACE(after);
        test::virtual_loop loop;
        const auto [this_failed, stopped] = loop.run(drain_for_fails(after));
        failed = this_failed;
        nameless += failed && stopped ? 1 : 0;
    }
    EXPECT_GE(nameless, 1);
}

}  // namespace
}  // namespace weir
