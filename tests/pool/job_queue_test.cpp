// The ring of places, against a plain model.
#include <weir/pool/detail/job_queue.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <tuple>
#include <vector>

#include <weir/pool/pool.hpp>

#include "support/run_test.hpp"
#include "support/tracked.hpp"

namespace weir::detail {
namespace {

using test::tracked;
using testing::ElementsAre;

class bare_core final : public pool_core {
  public:
    using pool_core::pool_core;
};

// A job that is never begun.
class bare_job final : public job {
  public:
    bare_job(pool_core& owner, int number) : job(owner, owner.loop()), value(number) {}
    void on_done() noexcept override {}
    int value;

  private:
    void run() noexcept override {}
    void abandon(std::exception_ptr) noexcept override {}
    [[nodiscard]] std::exception_ptr error() const noexcept override { return nullptr; }
    void replace_error(std::exception_ptr) noexcept override {}
};

int nothing(const tracked&) { return 0; }
using closure = std::tuple<int (*)(const tracked&), tracked>;
using ops = closure_ops_for<closure>;

class JobQueueTest : public testing::Test {
  protected:
    void push_closure(job_queue& queue, int value) {
        closure made(&nothing, tracked(counts_, value));
        queue.push(ops::table, &made, static_cast<std::uint64_t>(value));
    }
    void push_job(job_queue& queue, int value) {
        jobs_.push_back(std::make_unique<bare_job>(core_, value));
        queue.push(*jobs_.back());
    }
    bare_job& job_with(int value) {
        return **std::ranges::find(jobs_, value, [](const auto& made) { return made->value; });
    }

    static int value_of(const queue_place& place) {
        if (place.ops == nullptr) {
            return static_cast<const bare_job*>(place.held)->value;
        }
        const auto& held = *reinterpret_cast<const closure*>(place.closure);
        EXPECT_EQ(place.id, static_cast<std::uint64_t>(std::get<1>(held).value()));
        return std::get<1>(held).value();
    }
    // The oldest, or 0.
    static int pop(job_queue& queue) {
        queue_place* const place = queue.front();
        if (place == nullptr) {
            return 0;
        }
        const int value = value_of(*place);
        if (place->ops != nullptr) {
            place->ops->destroy(place->closure);
        }
        queue.pop_front();
        return value;
    }
    static std::vector<int> contents(const job_queue& queue) {
        std::vector<int> out;
        queue.for_each([&](const queue_place& place) { out.push_back(value_of(place)); });
        return out;
    }

    void TearDown() override { EXPECT_EQ(counts_.alive(), 0); }

    tracked::counts counts_;
    test::virtual_loop loop_;
    bare_core core_{loop_.loop(), pool_options{}};
    std::vector<std::unique_ptr<bare_job>> jobs_;
};

TEST_F(JobQueueTest, WithoutPlacesIsEmptyAndFull) {
    job_queue queue(0);
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.full());
    EXPECT_EQ(queue.front(), nullptr);
    EXPECT_TRUE(contents(queue).empty());
}

TEST_F(JobQueueTest, YieldsClosuresAndJobsInTheOrderOfPushing) {
    job_queue queue(4);
    push_closure(queue, 1);
    push_job(queue, 2);
    push_job(queue, 3);
    push_closure(queue, 4);
    EXPECT_TRUE(queue.full());
    EXPECT_THAT(contents(queue), ElementsAre(1, 2, 3, 4));
    for (const int value : {1, 2, 3, 4, 0}) {
        EXPECT_EQ(pop(queue), value);
    }
    EXPECT_TRUE(queue.empty());
}

TEST_F(JobQueueTest, AJobLeavesFromAnyPlace) {
    job_queue queue(3);
    for (int round = 0; round < 10; ++round) {
        push_job(queue, 10 * round + 1);
        push_closure(queue, 10 * round + 2);
        push_job(queue, 10 * round + 3);
        queue.remove(job_with(10 * round + (round % 2 == 0 ? 1 : 3)));
        EXPECT_EQ(queue.size(), 2U);
        EXPECT_FALSE(queue.full());
        const int first = pop(queue);
        const int second = pop(queue);
        EXPECT_LT(first, second);
        EXPECT_EQ(pop(queue), 0);
    }
}

TEST_F(JobQueueTest, RemovedPlacesAreUsedAgain) {
    job_queue queue(2);
    push_closure(queue, 1);
    for (int value = 2; value < 200; ++value) {
        push_job(queue, value);
        EXPECT_TRUE(queue.full());
        queue.remove(job_with(value));
        EXPECT_EQ(queue.size(), 1U);
    }
    EXPECT_THAT(contents(queue), ElementsAre(1));
    EXPECT_EQ(pop(queue), 1);
    EXPECT_EQ(queue.front(), nullptr);
}

// Pushes, pops and removes at random beside a deque.
class JobQueueModelTest : public JobQueueTest, public testing::WithParamInterface<int> {};

TEST_P(JobQueueModelTest, BehavesAsAPlainDeque) {
    const auto capacity = static_cast<std::size_t>(GetParam());
    job_queue queue(capacity);
    std::deque<int> model;
    std::deque<int> removable;
    std::mt19937 rng(static_cast<std::uint32_t>(GetParam()));
    int next = 1;
    for (int step = 0; step < 5000; ++step) {
        const auto kind = rng() % 10;
        if (kind < 5 && !queue.full()) {
            if (kind < 2) {
                push_closure(queue, next);
            } else {
                push_job(queue, next);
                removable.push_back(next);
            }
            model.push_back(next++);
        } else if (kind < 8 && !removable.empty()) {
            const auto at = static_cast<std::ptrdiff_t>(rng() % removable.size());
            const int value = removable[static_cast<std::size_t>(at)];
            queue.remove(job_with(value));
            removable.erase(removable.begin() + at);
            std::erase(model, value);
        } else {
            const int expected = model.empty() ? 0 : model.front();
            EXPECT_EQ(pop(queue), expected);
            std::erase(model, expected);
            std::erase(removable, expected);
        }
        ASSERT_EQ(queue.size(), model.size());
        ASSERT_EQ(queue.full(), model.size() == capacity);
        ASSERT_EQ(contents(queue), std::vector<int>(model.begin(), model.end()));
    }
    while (pop(queue) != 0) {
    }
}

INSTANTIATE_TEST_SUITE_P(Capacities, JobQueueModelTest, testing::Values(1, 2, 3, 4, 5, 17));

using JobQueueDeathTest = JobQueueTest;

TEST_F(JobQueueDeathTest, RemovingWhatIsNotQueuedIsAnError) {
    job_queue queue(2);
    push_job(queue, 1);
    push_job(queue, 2);
    queue.remove(job_with(1));
    EXPECT_DEATH(queue.remove(job_with(1)), "a queued job knows its place");
}

}  // namespace
}  // namespace weir::detail
