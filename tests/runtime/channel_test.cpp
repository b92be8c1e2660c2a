#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/channel.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> send_one(channel<int>& to, int value) { co_await to.send(value); }

task<> send_up_to(channel<int>& to, int count) {
    for (int value = 1; value <= count; ++value) {
        co_await to.send(value);
    }
}

task<> receive_into(channel<int>& from, std::vector<int>& log) {
    while (const std::optional<int> value = co_await from.receive()) {
        log.push_back(*value);
    }
}

task<> receive_one(channel<int>& from, std::optional<int>& out) { out = co_await from.receive(); }

std::vector<int> up_to(int count) {
    std::vector<int> numbers;
    for (int number = 1; number <= count; ++number) {
        numbers.push_back(number);
    }
    return numbers;
}

class ChannelCapacityTest : public testing::TestWithParam<std::size_t> {};

task<> sends_wait_when_full(std::size_t capacity) {
    channel<int> pipe(capacity);
    EXPECT_EQ(pipe.capacity(), capacity);
    test::ending end{};
    scope s;
    s.spawn(test::observe(send_up_to(pipe, static_cast<int>(capacity) + 1), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_EQ(pipe.size(), capacity);
    const std::optional<int> first = co_await pipe.receive();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(pipe.size(), capacity) << "who waited moves up at once";
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
    for (int value = 2; value <= static_cast<int>(capacity) + 1; ++value) {
        EXPECT_EQ(co_await pipe.receive(), value);
    }
    EXPECT_EQ(pipe.size(), 0U);
}

TEST_P(ChannelCapacityTest, ASendIsPendingWhileItIsFull) {
    test::run_test(sends_wait_when_full(GetParam()));
}

task<> close_after(channel<int>& pipe, scope& senders) {
    co_await senders.join();
    pipe.close();
}

task<> pass_hundred(std::size_t capacity, std::vector<int>& log) {
    channel<int> pipe(capacity);
    scope receivers;
    receivers.spawn(receive_into(pipe, log));
    scope senders;
    senders.spawn(send_up_to(pipe, 100));
    co_await close_after(pipe, senders);
    co_await receivers.join();
}

TEST_P(ChannelCapacityTest, ValuesArriveInTheOrderOfSending) {
    std::vector<int> log;
    test::run_test(pass_hundred(GetParam(), log));
    EXPECT_EQ(log, up_to(100));
}

task<> receivers_wait(std::size_t capacity) {
    channel<int> pipe(capacity);
    std::optional<int> first;
    std::optional<int> second;
    scope s;
    s.spawn(receive_one(pipe, first));
    s.spawn(receive_one(pipe, second));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    co_await pipe.send(7);
    EXPECT_EQ(pipe.size(), 0U) << "the value goes straight to who waits";
    co_await test::settle();
    EXPECT_EQ(first, 7);
    EXPECT_EQ(second, std::nullopt);
    EXPECT_EQ(s.size(), 1U);
    co_await pipe.send(8);
    co_await s.join();
    EXPECT_EQ(second, 8);
}

TEST_P(ChannelCapacityTest, ReceiversArePendingUntilAValueComesAndServedInOrder) {
    test::run_test(receivers_wait(GetParam()));
}

task<> close_drains(std::size_t capacity, std::vector<int>& log) {
    channel<int> pipe(capacity);
    co_await send_up_to(pipe, static_cast<int>(capacity));
    test::ending late{};
    scope s;
    s.spawn(test::observe(send_one(pipe, 99), late));
    co_await test::settle();
    EXPECT_EQ(late, test::ending::pending);
    pipe.close();
    pipe.close();
    EXPECT_TRUE(pipe.closed());
    co_await s.join();
    EXPECT_EQ(late, test::ending::error) << "a send that still waits at close fails";
    EXPECT_EQ(pipe.size(), capacity);
    co_await receive_into(pipe, log);
}

TEST_P(ChannelCapacityTest, ReceiverDrainsWhatWasSentBeforeClose) {
    std::vector<int> log;
    test::run_test(close_drains(GetParam(), log));
    EXPECT_EQ(log, up_to(static_cast<int>(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(NoneToThree, ChannelCapacityTest, testing::Values(0U, 1U, 2U, 3U));

task<> close_wakes_receivers() {
    channel<int> pipe(1);
    std::optional<int> none = 5;
    std::optional<int> none_either = 5;
    scope s;
    s.spawn(receive_one(pipe, none));
    s.spawn(receive_one(pipe, none_either));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    pipe.close();
    co_await s.join();
    EXPECT_EQ(none, std::nullopt);
    EXPECT_EQ(none_either, std::nullopt);
    EXPECT_EQ(co_await pipe.receive(), std::nullopt) << "and so ends every later receive";
}

TEST(ChannelTest, CloseEndsReceiversThatWait) { test::run_test(close_wakes_receivers()); }

task<std::error_code> send_to_closed() {
    channel<int> pipe(1);
    pipe.close();
    try {
        co_await pipe.send(1);
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

TEST(ChannelTest, ASendIntoAClosedChannelFails) {
    EXPECT_EQ(test::run_test(send_to_closed()), errc::channel_closed);
}

task<> rendezvous() {
    channel<int> pipe(0);
    test::ending end{};
    scope s;
    s.spawn(test::observe(send_one(pipe, 5), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_EQ(co_await pipe.receive(), 5);
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(ChannelTest, WithoutABufferASendWaitsForItsReceiver) { test::run_test(rendezvous()); }

TEST(ChannelTest, TrySendTakesTheValueOnlyWhenThereIsRoom) {
    channel<std::unique_ptr<int>> pipe(1);
    auto first = std::make_unique<int>(1);
    EXPECT_TRUE(pipe.try_send(first));
    EXPECT_EQ(first, nullptr);
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(pipe.try_send(second));
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(*second, 2);
    EXPECT_EQ(**pipe.try_receive(), 1);
    pipe.close();
    EXPECT_FALSE(pipe.try_send(second)) << "closed, though there is room";
    EXPECT_NE(second, nullptr);
}

TEST(ChannelTest, TryReceiveFindsNothingInAnEmptyChannel) {
    channel<int> pipe(2);
    EXPECT_EQ(pipe.try_receive(), std::nullopt);
    int value = 3;
    EXPECT_TRUE(pipe.try_send(value));
    EXPECT_EQ(pipe.try_receive(), 3);
    EXPECT_EQ(pipe.try_receive(), std::nullopt);
}

task<> try_with_waiting_tasks() {
    channel<int> pipe(0);
    int value = 4;
    EXPECT_FALSE(pipe.try_send(value)) << "nobody waits for it";
    std::optional<int> got;
    scope s;
    s.spawn(receive_one(pipe, got));
    co_await test::settle();
    EXPECT_TRUE(pipe.try_send(value));
    co_await s.join();
    EXPECT_EQ(got, 4);
    s.spawn(send_one(pipe, 6));
    co_await test::settle();
    EXPECT_EQ(pipe.try_receive(), 6);
    co_await s.join();
}

TEST(ChannelTest, TryingMeetsTheTasksThatWait) { test::run_test(try_with_waiting_tasks()); }

TEST(ChannelTest, ABufferWrapsAround) {
    channel<int> pipe(3);
    for (int value = 0; value < 20; ++value) {
        int first = 2 * value;
        int second = 2 * value + 1;
        EXPECT_TRUE(pipe.try_send(first));
        EXPECT_TRUE(pipe.try_send(second));
        EXPECT_EQ(pipe.size(), 2U);
        EXPECT_EQ(pipe.try_receive(), 2 * value);
        EXPECT_EQ(pipe.try_receive(), 2 * value + 1);
    }
}

TEST(ChannelTest, ValuesThatNobodyReceivedDieWithTheChannel) {
    auto alive = std::make_shared<int>(1);
    {
        channel<std::shared_ptr<int>> pipe(3);
        for (int index = 0; index < 2; ++index) {
            std::shared_ptr<int> copy = alive;
            EXPECT_TRUE(pipe.try_send(copy));
        }
        EXPECT_EQ(alive.use_count(), 3);
        static_cast<void>(pipe.try_receive());
        EXPECT_EQ(alive.use_count(), 2);
    }
    EXPECT_EQ(alive.use_count(), 1);
}

task<> destroy_with_waiter() {
    auto pipe = std::make_unique<channel<int>>(1);
    std::optional<int> got;
    scope s;
    s.spawn(receive_one(*pipe, got));
    co_await test::settle();
    pipe.reset();
    co_await s.join();
}

TEST(ChannelDeathTest, DestroyingAChannelWithWaitersEndsTheProcess) {
    EXPECT_DEATH(test::run_test(destroy_with_waiter()),
                 "a channel outlives the tasks that wait for it");
}

}  // namespace
}  // namespace weir
