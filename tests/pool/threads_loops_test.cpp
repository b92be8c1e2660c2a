// submit_from_thread where the calling thread has a loop to run: it never blocks that.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::sized;
using test::value_job;

// Submits value_job until that is refused; tells how.
std::string submit_until_refused(pool& p, std::vector<std::future<int>>& futures) {
    try {
        for (int turn = 0; turn < 1000; ++turn) {
            futures.push_back(p.submit_from_thread(value_job, turn));
        }
    } catch (const pool_error& error) {
        return test::in_words(std::make_exception_ptr(error));
    }
    return "value";
}

task<> nothing() { co_return; }

task<> drain_of(pool& p) { co_await p.drain(); }

TEST(PoolThreadsTest, TheLoopsOwnThreadIsNotBlockedOutsideOfRun) {
    for (const std::size_t queue : {0U, 1U, 2U, 3U}) {
        event_loop loop;
        loop.run(nothing());
        pool p(loop, sized(1, queue));
        std::vector<std::future<int>> futures;
        EXPECT_EQ(submit_until_refused(p, futures), "would_deadlock");
        EXPECT_EQ(futures.size(), std::max<std::size_t>(queue, 1)) << "what is on its way may be";
        loop.run(drain_of(p));
        for (std::future<int>& refused : futures) {
            EXPECT_THROW(refused.get(), pool_error) << "closed before the loop ran";
        }
    }
}

// Two loops, each with a pool, whose main tasks flood the other's.
struct two_pools {
    std::atomic<pool*> pools[2] = {nullptr, nullptr};
    std::atomic<int> submitted = 0;
    std::string refusals[2];
};

task<> flood(two_pools& both, std::size_t self) {
    pool mine(sized(1, 1));
    both.pools[self] = &mine;
    while (both.pools[1 - self] == nullptr) {
        co_await yield();
    }
    std::vector<std::future<int>> futures;
    both.refusals[self] = submit_until_refused(*both.pools[1 - self], futures);
    ++both.submitted;
    while (both.submitted < 2) {
        co_await yield();
    }
    co_await mine.drain();
}

// A round may go well where the other loop is quick; blocked, none would end.
TEST(PoolThreadsTest, LoopsThatSubmitToEachOthersPoolsAreNotBlocked) {
    for (int round = 0; round < 20; ++round) {
        two_pools both;
        std::thread other([&both] { weir::run(flood(both, 1)); });
        weir::run(flood(both, 0));
        other.join();
        for (const std::string& refusal : both.refusals) {
            EXPECT_TRUE(refusal == "would_deadlock" || refusal == "value") << refusal;
        }
    }
}

}  // namespace
}  // namespace weir
