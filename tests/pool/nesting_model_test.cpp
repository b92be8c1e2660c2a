// Random trees of jobs that run, submit, post, batch and await each other on one small pool: none
// hangs, both bounds hold at every step, each body begins once, and each result reaches whoever
// awaits it.
//
// A trial is a seed: what fails prints it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"
#include "support/sanitizers.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

// Random numbers of a trial, the same on every machine.
class random {
  public:
    using result_type = std::uint32_t;
    explicit random(std::uint32_t seed) : engine_(seed) {}
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return UINT32_MAX; }
    result_type operator()() { return static_cast<result_type>(engine_()); }
    std::uint32_t below(std::uint32_t end) { return (*this)() % end; }

  private:
    std::mt19937 engine_;
};

// Enough that every way of nesting meets every bound; a sanitizer is ten times slower.
constexpr int trials = test::sanitized ? 150 : 2000;

// What disturbs a trial from outside and inside.
struct disturbances {
    bool cancels = false;
    bool resizes = false;
    bool stops = false;
};

struct shared_handle {
    join_handle<int> handle;
    std::size_t id = 0;
    bool taken = false;  // one task at a time awaits a job
};
using older_handles = std::vector<std::shared_ptr<shared_handle>>;

// What a body is told: its own randomness, how deep it may nest, and which jobs, all older than
// itself, it may await.
struct plan {
    std::uint32_t seed = 0;
    int depth = 0;
    std::size_t id = 0;
    older_handles older;
};

class trial {
  public:
    trial(pool& target, std::size_t queue, disturbances allowed)
        : p(target), queue_max_(queue), disturbed(allowed) {}

    [[nodiscard]] plan make_plan(random& rng, int depth, older_handles older) {
        ends_.push_back(unknown);
        begins_.push_back(0);
        return {rng(), depth, ends_.size() - 1, std::move(older)};
    }

    void begins(std::size_t id) {
        EXPECT_EQ(++begins_[id], 1) << "a body begins once";
        enter();
    }
    void ends(std::size_t id, int value) { ends_[id] = value; }
    void got(std::size_t id, int value) const { EXPECT_EQ(value, ends_[id]); }

    // A body runs from enter() to leave(), but not while it waits for the pool: then its slot may
    // serve a guest.
    void enter() {
        ++bodies_;
        look();
    }
    void leave() { --bodies_; }

    // The bounds, as seen from inside.
    void look() {
        const pool_stats stats = p.stats();
        allowed_ = std::max(stats.max_concurrency, std::min(allowed_, stats.running));
        EXPECT_LE(stats.running, allowed_) << "slots";
        EXPECT_LE(bodies_, stats.running) << "bodies that run side by side";
        EXPECT_LE(stats.queued, queue_max_) << "queue";
    }
    void resize(std::size_t to) {
        allowed_ = std::max(to, p.stats().running);
        p.resize(to);
    }

    [[nodiscard]] std::size_t bodies() const { return begins_.size(); }
    void check_all_began_and_ended() const {
        EXPECT_EQ(std::ranges::count(begins_, 0), 0) << "a body never began";
        EXPECT_EQ(std::ranges::count(ends_, unknown), 0) << "a body never ended";
    }
    void check_at_rest() const {
        const pool_stats stats = p.stats();
        EXPECT_EQ(bodies_, 0U);
        EXPECT_EQ(stats.running + stats.queued + stats.parked, 0U);
        EXPECT_EQ(stats.submitted, stats.completed + stats.failed + stats.canceled + stats.expired);
        EXPECT_EQ(stats.failed, 0U);
        EXPECT_EQ(stats.unobserved_errors, 0U);
    }

    pool& p;

  private:
    static constexpr int unknown = -1;
    std::vector<int> begins_;
    std::vector<int> ends_;
    std::size_t queue_max_;
    std::size_t allowed_ = 3;
    std::size_t bodies_ = 0;

  public:
    disturbances disturbed;
};

class body {
  public:
    body(trial& t, std::size_t id) : t_(t) { t_.begins(id); }
    body(const body&) = delete;
    body& operator=(const body&) = delete;
    ~body() { t_.leave(); }

  private:
    trial& t_;
};

class waiting {
  public:
    explicit waiting(trial& t) : t_(t) { t_.leave(); }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    ~waiting() { t_.enter(); }

  private:
    trial& t_;
};

bool chance(random& rng, unsigned percent) { return rng.below(100) < percent; }

task<int> node(trial& t, plan mine);

task<int> run_child(trial& t, plan child) {
    const std::size_t id = child.id;
    const int value = co_await t.p.run(node, std::ref(t), std::move(child));
    t.got(id, value);
    co_return value;
}

task<> run_branch(trial& t, plan child, int& sum) {
    sum += co_await run_child(t, std::move(child));
}

// Two children at the same time, as branches of this job.
task<int> run_branches(trial& t, random& rng, int depth, older_handles older) {
    int sum = 0;
    scope s;
    s.spawn(run_branch(t, t.make_plan(rng, depth, older), sum));
    s.spawn(run_branch(t, t.make_plan(rng, depth, older), sum));
    co_await s.join();
    co_return sum;
}

task<int> run_batch(trial& t, random& rng, int depth, older_handles older) {
    std::vector<plan> plans;
    for (unsigned count = 0; count < 1 + rng.below(4); ++count) {
        plans.push_back(t.make_plan(rng, depth, older));
    }
    auto call = [&t](plan child) { return node(t, std::move(child)); };
    const std::vector<int> values = co_await t.p.batch_run(call, plans);
    int sum = 0;
    for (std::size_t index = 0; index < plans.size(); ++index) {
        t.got(plans[index].id, values[index]);
        sum += values[index];
    }
    co_return sum;
}

// Awaits a job, unless another task does; sometimes cancels it first, or gives up early.
task<int> await_handle(trial& t, random& rng, std::shared_ptr<shared_handle> target) {
    if (target->taken || !target->handle.valid()) {
        co_return 0;
    }
    target->taken = true;
    int value = 0;
    try {
        if (t.disturbed.cancels && chance(rng, 10)) {
            target->handle.cancel();
        }
        if (t.disturbed.cancels && chance(rng, 10)) {
            value = co_await with_timeout(1ns, test::joined(target->handle));
        } else {
            value = co_await target->handle.join();
        }
        t.got(target->id, value);
    } catch (const canceled&) {
        EXPECT_TRUE(t.disturbed.cancels || t.disturbed.stops);
    } catch (const timed_out&) {
        EXPECT_TRUE(t.disturbed.cancels);
    }
    target->taken = false;
    co_return value;
}

task<std::shared_ptr<shared_handle>> submit_child(trial& t, plan child) {
    auto made = std::make_shared<shared_handle>();
    made->id = child.id;
    made->handle = co_await t.p.submit(node, std::ref(t), std::move(child));
    co_return made;
}

// One step of a body. Yields what it adds to the body's value.
task<int> step(trial& t, random& rng, int depth, older_handles older, older_handles& own) {
    const unsigned kind = rng.below(100);
    const waiting here(t);
    if (kind < 30) {
        co_return co_await run_child(t, t.make_plan(rng, depth, std::move(older)));
    }
    if (kind < 70) {
        own.push_back(co_await submit_child(t, t.make_plan(rng, depth, std::move(older))));
    } else if (kind < 80) {
        co_await t.p.post(node, std::ref(t), t.make_plan(rng, depth, std::move(older)));
    } else if (kind < 90) {
        co_return co_await run_batch(t, rng, depth - 1, std::move(older));
    } else {
        co_return co_await run_branches(t, rng, depth - 1, std::move(older));
    }
    co_return 0;
}

task<> pause(random& rng) {
    if (chance(rng, 20)) {
        co_await sleep_for(duration(1 + rng.below(3)));
    } else {
        co_await yield();
    }
}

task<int> work(trial& t, plan mine) {
    random rng(mine.seed + 1);
    int value = 1;
    for (unsigned count = rng.below(3); count > 0; --count) {
        co_await pause(rng);
        t.look();
    }
    older_handles own;
    for (unsigned count = mine.depth > 0 ? rng.below(4) : 0; count > 0; --count) {
        older_handles older = mine.older;
        older.insert(older.end(), own.begin(), own.end());
        value += co_await step(t, rng, mine.depth - 1, std::move(older), own);
        t.look();
        if (chance(rng, 30)) {
            co_await pause(rng);
        }
    }
    if (!mine.older.empty() && chance(rng, 40)) {
        const waiting here(t);
        value += co_await await_handle(
            t, rng, mine.older[rng.below(static_cast<std::uint32_t>(mine.older.size()))]);
    }
    std::ranges::shuffle(own, rng);
    for (const std::shared_ptr<shared_handle>& target : own) {
        if (chance(rng, 85)) {
            const waiting here(t);
            value += co_await await_handle(t, rng, target);
        }
    }
    co_return value;
}

task<int> node(trial& t, plan mine) {
    const body here(t, mine.id);
    const std::size_t id = mine.id;
    const int value = co_await work(t, std::move(mine));
    t.ends(id, value);
    co_return value;
}

// ref: the flag lives in the trial, which waits for this task.
task<> resize_now_and_then(trial& t, random& rng, bool& over) {
    while (!over) {
        t.resize(rng.below(4));
        co_await sleep_for(duration(1 + rng.below(4)));
    }
    t.resize(1);
}

task<> drive(trial& t, random& rng, bool& over) {
    older_handles top;
    for (int count = 0; count < 6; ++count) {
        try {
            auto submitted = submit_child(t, t.make_plan(rng, 4, older_handles()));
            top.push_back(co_await std::move(submitted));
        } catch (const pool_error& closed) {
            EXPECT_TRUE(t.disturbed.stops);
        }
        if (t.disturbed.stops && chance(rng, 20)) {
            co_await t.p.stop();
        }
    }
    for (const std::shared_ptr<shared_handle>& target : top) {
        co_await await_handle(t, rng, target);
        t.look();
    }
    co_await t.p.drain();
    over = true;
}

task<> drive_disturbed(trial& t, std::uint32_t seed) {
    random rng(seed + 1);
    random other(seed + 2);
    bool over = false;
    scope s;
    s.spawn(drive(t, rng, over));
    if (t.disturbed.resizes) {
        s.spawn(resize_now_and_then(t, other, over));
    }
    co_await s.join();
}

task<> run_trial(std::uint32_t seed, disturbances allowed, std::size_t& bodies) {
    static constexpr std::size_t queues[] = {0, 1, 2, 5};
    const std::size_t concurrency = 1 + seed % 3;
    const std::size_t queue = queues[seed / 3 % 4];
    pool p(test::sized(concurrency, queue));
    trial t(p, queue, allowed);
    bool hangs = false;
    try {
        co_await with_timeout(1h, drive_disturbed(t, seed));
    } catch (const timed_out&) {
        hangs = true;
        ADD_FAILURE() << "hangs:\n" << p.dump();
    }
    if (hangs) {
        co_await p.stop();
    }
    t.check_at_rest();
    if (!allowed.cancels && !allowed.stops) {
        t.check_all_began_and_ended();
    }
    bodies += t.bodies();
}

void run_trials(int count, disturbances allowed) {
    std::size_t bodies = 0;
    for (int seed = 0; seed < count && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::run_pool_test(run_trial(static_cast<std::uint32_t>(seed), allowed, bodies));
    }
    if (!testing::Test::HasFailure()) {
        EXPECT_GT(bodies, static_cast<std::size_t>(count) * 20)
            << "the trees are too small to tell";
    }
}

TEST(PoolNestingModelTest, RandomTreesEndWithinBothBounds) { run_trials(trials, {}); }

TEST(PoolNestingModelTest, RandomTreesWithCancelsEnd) { run_trials(trials, {.cancels = true}); }

TEST(PoolNestingModelTest, RandomTreesWithResizesEnd) { run_trials(trials, {.resizes = true}); }

TEST(PoolNestingModelTest, RandomTreesThatAreStoppedEnd) { run_trials(trials, {.stops = true}); }

TEST(PoolNestingModelTest, RandomTreesWithEveryDisturbanceEnd) {
    run_trials(trials, {.cancels = true, .resizes = true, .stops = true});
}

}  // namespace
}  // namespace weir
