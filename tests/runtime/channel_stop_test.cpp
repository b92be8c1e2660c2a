// Stops at every point of a send and a receive.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include <weir/runtime/channel.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> send_one(channel<int>& to, int value) { co_await to.send(value); }

task<> receive_one(channel<int>& from, std::optional<int>& out) { out = co_await from.receive(); }

TEST(ChannelStopTest, AStoppedTaskSendsNothing) {
    channel<int> pipe(1);
    EXPECT_EQ(test::run_test(test::stopped_before(send_one(pipe, 1))), test::ending::canceled);
    EXPECT_EQ(pipe.size(), 0U);
}

TEST(ChannelStopTest, AStoppedTaskReceivesNothing) {
    channel<int> pipe(1);
    int value = 1;
    EXPECT_TRUE(pipe.try_send(value));
    std::optional<int> out;
    EXPECT_EQ(test::run_test(test::stopped_before(receive_one(pipe, out))), test::ending::canceled);
    EXPECT_EQ(out, std::nullopt);
    EXPECT_EQ(pipe.size(), 1U);
}

TEST(ChannelStopTest, AStopEndsAWaitingSendWhoseValueIsNotSent) {
    channel<int> pipe(1);
    int value = 1;
    EXPECT_TRUE(pipe.try_send(value));
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(send_one(pipe, 2))),
              test::ending::canceled);
    EXPECT_EQ(pipe.try_receive(), 1);
    EXPECT_EQ(pipe.try_receive(), std::nullopt);
}

TEST(ChannelStopTest, AStopEndsAWaitingReceive) {
    channel<int> pipe(1);
    std::optional<int> out;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(receive_one(pipe, out))),
              test::ending::canceled);
    int value = 1;
    EXPECT_TRUE(pipe.try_send(value));
    EXPECT_EQ(pipe.size(), 1U) << "nobody waits for it any more";
}

task<> send_taken_then_stop() {
    channel<int> pipe(0);
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(test::observe(with_stop(source, send_one(pipe, 5)), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_EQ(pipe.try_receive(), 5);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value) << "the value was received, so the send has succeeded";
}

TEST(ChannelStopTest, ASendThatWasTakenBeforeTheStopHasSucceeded) {
    test::run_test(send_taken_then_stop());
}

task<> receive_given_then_stop() {
    channel<int> pipe(1);
    stop_source source;
    test::ending end{};
    std::optional<int> out;
    scope s;
    s.spawn(test::observe(with_stop(source, receive_one(pipe, out)), end));
    co_await test::settle();
    co_await pipe.send(5);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
    EXPECT_EQ(out, 5) << "a value that was handed over is not lost";
}

TEST(ChannelStopTest, AValueThatCameBeforeTheStopIsKept) {
    test::run_test(receive_given_then_stop());
}

task<> closed_then_stopped() {
    channel<int> pipe(0);
    stop_source source;
    test::ending sender{};
    scope s;
    s.spawn(test::observe(with_stop(source, send_one(pipe, 5)), sender));
    co_await test::settle();
    pipe.close();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(sender, test::ending::error) << "the close came first";
}

TEST(ChannelStopTest, ACloseBeforeTheStopIsWhatTheSenderSees) {
    test::run_test(closed_then_stopped());
}

task<> stop_the_first_of_two(std::optional<int>& first, std::optional<int>& second) {
    channel<int> pipe(2);
    stop_source source;
    test::ending end{};
    scope s;
    s.spawn(test::observe(with_stop(source, receive_one(pipe, first)), end));
    s.spawn(receive_one(pipe, second));
    co_await test::settle();
    source.request_stop();
    co_await pipe.send(7);
    co_await s.join();
    EXPECT_EQ(end, test::ending::canceled);
}

TEST(ChannelStopTest, TheValueGoesToTheReceiverBehindAStoppedOne) {
    std::optional<int> first;
    std::optional<int> second;
    test::run_test(stop_the_first_of_two(first, second));
    EXPECT_EQ(first, std::nullopt);
    EXPECT_EQ(second, 7);
}

task<> send_shared(channel<std::shared_ptr<int>>& to, std::shared_ptr<int> value) {
    co_await to.send(std::move(value));
}

TEST(ChannelStopTest, AnUnsentValueDiesWithItsSend) {
    channel<std::shared_ptr<int>> pipe(0);
    auto alive = std::make_shared<int>(1);
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(send_shared(pipe, alive))),
              test::ending::canceled);
    EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace weir
