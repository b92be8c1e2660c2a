// The gate that slows threads down: places, waiting, closing.
#include <weir/pool/detail/thread_gate.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weir::detail {
namespace {

TEST(ThreadGateTest, HasAsManyPlacesAsItSays) {
    for (const std::size_t capacity : {1U, 2U, 3U}) {
        thread_gate gate(capacity);
        bool closed = true;
        EXPECT_TRUE(gate.idle());
        for (std::size_t place = 0; place < capacity; ++place) {
            EXPECT_TRUE(gate.try_acquire(closed));
            EXPECT_FALSE(closed);
        }
        EXPECT_FALSE(gate.try_acquire(closed));
        EXPECT_FALSE(closed) << "full, not closed";
        EXPECT_FALSE(gate.idle());
        gate.release();
        EXPECT_TRUE(gate.acquire());
        for (std::size_t place = 0; place < capacity; ++place) {
            gate.release();
        }
        EXPECT_TRUE(gate.idle());
    }
}

TEST(ThreadGateTest, AClosedGateLetsNobodyIn) {
    thread_gate gate(2);
    bool closed = false;
    EXPECT_TRUE(gate.try_acquire(closed));
    gate.close();
    gate.close();
    EXPECT_FALSE(gate.try_acquire(closed));
    EXPECT_TRUE(closed);
    EXPECT_FALSE(gate.acquire());
    EXPECT_FALSE(gate.idle()) << "who was in is still in";
    gate.release();
    EXPECT_TRUE(gate.idle());
}

TEST(ThreadGateTest, AReleaseLetsABlockedThreadIn) {
    thread_gate gate(1);
    std::atomic<int> entered{0};
    EXPECT_TRUE(gate.acquire());
    std::vector<std::jthread> threads;
    for (int count = 0; count < 3; ++count) {
        threads.emplace_back([&] {
            EXPECT_TRUE(gate.acquire());
            EXPECT_EQ(entered.fetch_add(1), 0) << "one at a time";
            entered.fetch_sub(1);
            gate.release();
        });
    }
    EXPECT_EQ(entered.load(), 0);
    gate.release();
    threads.clear();
    EXPECT_TRUE(gate.idle());
}

TEST(ThreadGateTest, CloseWakesAllWhoAreBlocked) {
    thread_gate gate(1);
    std::atomic<int> refused{0};
    EXPECT_TRUE(gate.acquire());
    std::vector<std::jthread> threads;
    for (int count = 0; count < 3; ++count) {
        threads.emplace_back([&] { refused += gate.acquire() ? 0 : 1; });
    }
    gate.close();
    threads.clear();
    EXPECT_EQ(refused.load(), 3);
}

TEST(ThreadGateTest, OnlyAnOpenGateIsLeftWithoutTheLoop) {
    thread_gate gate(2);
    EXPECT_TRUE(gate.acquire());
    EXPECT_TRUE(gate.acquire());
    EXPECT_TRUE(gate.release_unless_closed());
    gate.close();
    EXPECT_FALSE(gate.release_unless_closed());
    EXPECT_FALSE(gate.idle());
    gate.release();
    EXPECT_TRUE(gate.idle());
}

}  // namespace
}  // namespace weir::detail
