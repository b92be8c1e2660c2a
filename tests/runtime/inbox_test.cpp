#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <weir/runtime/inbox.hpp>
#include <weir/runtime/result.hpp>

#include "support/fake_driver.hpp"

namespace weir {
namespace {

// A driver of which only the wakes matter.
class wake_counter : public test::fake_driver {
  public:
    void wake() noexcept override { wakes.fetch_add(1); }
    std::atomic<int> wakes{0};
};

TEST(InboxTest, HandsOutInTheOrderOfPosting) {
    wake_counter io;
    inbox posted(io, 10);
    std::vector<int> log;
    EXPECT_FALSE(posted.maybe_nonempty());
    for (int number = 1; number <= 3; ++number) {
        posted.push([&log, number] { log.push_back(number); }, false);
    }
    EXPECT_TRUE(posted.maybe_nonempty());
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(posted.drain(), 3U);
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
    EXPECT_FALSE(posted.maybe_nonempty());
    EXPECT_EQ(posted.drain(), 0U);
}

TEST(InboxTest, WhatIsPostedWhileItDrainsWaitsForTheNextDrain) {
    wake_counter io;
    inbox posted(io, 10);
    int ran = 0;
    posted.push([&] { posted.push([&ran] { ++ran; }, true); }, false);
    EXPECT_EQ(posted.drain(), 1U);
    EXPECT_EQ(ran, 0);
    EXPECT_TRUE(posted.maybe_nonempty());
    EXPECT_EQ(posted.drain(), 1U);
    EXPECT_EQ(ran, 1);
}

class InboxCapacityTest : public testing::TestWithParam<std::size_t> {};

TEST_P(InboxCapacityTest, IsFullAtItsCapacityAndEmptyAfterADrain) {
    wake_counter io;
    inbox posted(io, GetParam());
    int ran = 0;
    auto count = [&ran] { ++ran; };
    for (std::size_t number = 0; number < GetParam(); ++number) {
        EXPECT_TRUE(posted.try_emplace(count));
    }
    EXPECT_FALSE(posted.try_emplace(count));
    EXPECT_EQ(posted.drain(), GetParam());
    EXPECT_EQ(ran, static_cast<int>(GetParam()));
    EXPECT_TRUE(posted.try_emplace(count));
    EXPECT_EQ(posted.drain(), 1U);
}

INSTANTIATE_TEST_SUITE_P(OneTwoThree, InboxCapacityTest, testing::Values(1U, 2U, 3U));

TEST(InboxTest, ARefusedFunctionIsUntouched) {
    wake_counter io;
    inbox posted(io, 1);
    auto first = [owned = std::make_unique<int>(1)] {};
    auto second = [owned = std::make_unique<int>(2)] { EXPECT_EQ(*owned, 2); };
    EXPECT_TRUE(posted.try_emplace(first));
    EXPECT_FALSE(posted.try_emplace(second));
    second();
    posted.drain();
}

TEST(InboxTest, TheLoopsThreadIsRefusedWhenItIsFull) {
    wake_counter io;
    inbox posted(io, 1);
    posted.push([] {}, true);
    try {
        posted.push([] {}, true);
        ADD_FAILURE() << "a second entry was taken";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), errc::inbox_full);
        EXPECT_NE(std::string(error.what()).find("inbox_capacity 1"), std::string::npos);
    }
    EXPECT_EQ(posted.drain(), 1U);
}

TEST(InboxTest, AnUrgentEntryIsTakenWhenItIsFull) {
    wake_counter io;
    inbox posted(io, 1);
    posted.push([] {}, true);
    posted.push_urgent([] {});
    EXPECT_EQ(posted.drain(), 2U);
}

TEST(InboxTest, OnlyASleepingLoopIsWokenAndOnlyOnce) {
    wake_counter io;
    inbox posted(io, 10);
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 0);
    EXPECT_FALSE(posted.prepare_to_sleep()) << "there is something to run first";
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 0);
    posted.drain();
    EXPECT_TRUE(posted.prepare_to_sleep());
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 1);
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 1) << "one wake serves all";
    posted.awake();
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 1);
    EXPECT_EQ(posted.drain(), 3U);
}

TEST(InboxTest, ALoopThatWokeByItselfIsNotWoken) {
    wake_counter io;
    inbox posted(io, 10);
    EXPECT_TRUE(posted.prepare_to_sleep());
    posted.awake();
    posted.push([] {}, false);
    EXPECT_EQ(io.wakes, 0);
    posted.drain();
}

TEST(InboxTest, EveryBlockedPosterGoesOnAfterDrains) {
    wake_counter io;
    inbox posted(io, 1);
    std::atomic<int> ran{0};
    std::vector<std::jthread> posters;
    for (int number = 0; number < 8; ++number) {
        posters.emplace_back([&] { posted.push([&ran] { ran.fetch_add(1); }, false); });
    }
    while (ran.load() < 8) {
        posted.drain();
        std::this_thread::yield();
    }
    EXPECT_EQ(posted.drain(), 0U);
}

}  // namespace
}  // namespace weir
