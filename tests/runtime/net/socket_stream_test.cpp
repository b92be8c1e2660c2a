#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/run_test.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::read_all;
using test::receive_all;
using test::stream_pair;
using test::text_of;
using test::write_and_close;

class SocketStreamTest : public test::stream_test {};
INSTANTIATE_TEST_SUITE_P(Features, SocketStreamTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

task<> say_and_hear() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("hello")));
    std::array<std::byte, 16> into;
    const result<std::size_t> count = co_await right.read_some(into);
    EXPECT_TRUE(count);
    EXPECT_EQ(text_of(std::span(into).first(*count)), "hello");
}

TEST_P(SocketStreamTest, WhatOneEndWritesTheOtherReads) { run(say_and_hear()); }

task<> transfer(std::size_t size, std::size_t piece, bool by_buffers) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(size);
    scope s;
    s.spawn(write_and_close(left, text, piece));
    auto reading = by_buffers ? receive_all(right) : read_all(right);
    const std::string got = co_await std::move(reading);
    co_await s.join();
    EXPECT_TRUE(got == text);
}

TEST_P(SocketStreamTest, ManySizesArriveWholeAndInOrder) {
    for (const std::size_t size : {1UZ, 16'383UZ, 16'384UZ, 70'000UZ, 1'000'000UZ}) {
        for (const std::size_t piece : {7UZ, 4'096UZ, 16'384UZ, 300'000UZ}) {
            if (size / piece < 20'000) {
                run(transfer(size, piece, false));
                run(transfer(size, piece, true));
            }
        }
    }
}

task<> read_at_the_end() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("x")));
    EXPECT_TRUE(co_await left.finish_writing());
    EXPECT_EQ(co_await read_all(right), "x");
    std::array<std::byte, 1> into;
    EXPECT_EQ((co_await right.read_some(into)).value(), 0U) << "again";
    EXPECT_TRUE(co_await right.write_all(bytes_of("still open this way")));
    EXPECT_TRUE(co_await right.finish_writing());
    EXPECT_EQ(co_await receive_all(left), "still open this way");
    const result<received_buffer> again = co_await left.receive();
    EXPECT_TRUE(again && !*again);
}

TEST_P(SocketStreamTest, AHalfClosedStreamEndsOneWayOnly) { run(read_at_the_end()); }

task<> read_nothing() {
    auto [left, right] = stream_pair();
    EXPECT_EQ((co_await left.read_some(std::span<std::byte>())).value(), 0U);
    EXPECT_TRUE(co_await left.write_all(bytes_of("")));
}

TEST_P(SocketStreamTest, AnEmptySpanIsDoneAtOnce) { run(read_nothing()); }

// One who answers each message, and one who asks many times.
task<> answer(unix_stream& peer) {
    std::array<std::byte, 64> bytes;
    while (true) {
        const result<std::size_t> count = co_await peer.read_some(bytes);
        if (!count || *count == 0) {
            co_return;
        }
        EXPECT_TRUE(co_await peer.write_all(std::span(bytes).first(*count)));
    }
}

task<> ask(unix_stream& peer, int times) {
    std::array<std::byte, 64> bytes;
    for (int count = 0; count < times; ++count) {
        EXPECT_TRUE(co_await peer.write_all(bytes_of("question")));
        EXPECT_EQ((co_await peer.read_some(bytes)).value_or(0), 8U);
    }
}

task<> ping_pong(int times, loop_counters& before, loop_counters& after) {
    auto [left, right] = stream_pair();
    scope s;
    s.spawn(answer(right));
    co_await ask(left, 10);
    before = event_loop::current()->counters();
    co_await ask(left, times);
    after = event_loop::current()->counters();
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
}

TEST_P(SocketStreamTest, AnAnswerAndTheNextReadCostOneCompletion) {
    loop_counters before;
    loop_counters after;
    constexpr std::uint64_t times = 1000;
    run(ping_pong(times, before, after));
    // Two ends: a completion each where sends complete silently, else two.
    EXPECT_EQ((after.cqes - before.cqes + times / 2) / times, GetParam() ? 2U : 4U);
}

task<> warm_ping_pong(std::size_t& allocations) {
    auto [left, right] = stream_pair();
    scope s;
    s.spawn(answer(right));
    co_await ask(left, 100);
    const test::allocation_counter counter;
    co_await ask(left, 100);
    allocations = counter.allocations();
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
}

TEST_P(SocketStreamTest, AWarmPingPongAllocatesNothing) {
    std::size_t allocations = 1;
    run(warm_ping_pong(allocations));
    EXPECT_EQ(allocations, 0U);
}

task<> gather() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await nop());  // what the loop itself asks for has been submitted
    const loop_counters before = event_loop::current()->counters();
    for (int count = 0; count < 100; ++count) {
        EXPECT_TRUE(co_await left.write_all(bytes_of("0123456789")));
    }
    EXPECT_TRUE(co_await left.flush());
    EXPECT_EQ(event_loop::current()->counters().sqes - before.sqes, 1U);
    EXPECT_TRUE(co_await left.close());
    EXPECT_EQ((co_await read_all(right)).size(), 1000U);
}

TEST_P(SocketStreamTest, TheWritesOfATickLeaveInOneSend) { run(gather()); }

task<> pieces() {
    auto [left, right] = stream_pair();
    const std::string large = pattern(200'000);
    const std::array<std::span<const std::byte>, 3> all{bytes_of("head"), bytes_of(large),
                                                        bytes_of("tail")};
    scope s;
    auto writing = [](unix_stream& to, auto parts) -> task<> {
        EXPECT_TRUE(co_await to.write_all(std::span<const std::span<const std::byte>>(parts)));
        EXPECT_TRUE(co_await to.close());
    };
    s.spawn(writing(left, all));
    const std::string got = co_await read_all(right);
    co_await s.join();
    EXPECT_TRUE(got == "head" + large + "tail");
}

TEST_P(SocketStreamTest, PiecesLeaveInTheirOrder) { run(pieces()); }

// Everybody reads and writes at once, and nobody waits for the other: receives behind sends would
// be late.
task<> write_some(unix_stream& to, int times) {
    for (int count = 0; count < times; ++count) {
        EXPECT_TRUE(co_await to.write_all(bytes_of("12345678")));
        co_await yield();
    }
    EXPECT_TRUE(co_await to.finish_writing());
}

task<> both_ways() {
    auto [left, right] = stream_pair();
    scope s;
    s.spawn(write_some(left, 1000));
    s.spawn(write_some(right, 1000));
    std::string got;
    auto reading = [](unix_stream& from, std::string& into) -> task<> {
        into = co_await read_all(from);
    };
    s.spawn(reading(left, got));
    EXPECT_EQ((co_await read_all(right)).size(), 8000U);
    co_await s.join();
    EXPECT_EQ(got.size(), 8000U);
}

TEST_P(SocketStreamTest, BothWaysAtOnce) { run(both_ways()); }

// The reader's receive stands behind its own send when another task writes.
task<> write_beside_a_linked_read() {
    auto [left, right] = stream_pair();
    std::array<std::byte, 64> into;
    result<std::size_t> out = 0;
    // ref: the bytes outlive the task.
    auto question = [](unix_stream& peer, std::span<std::byte> bytes,
                       result<std::size_t>& answer) -> task<> {
        EXPECT_TRUE(co_await peer.write_all(bytes_of("one ")));
        answer = co_await peer.read_some(bytes);
    };
    scope s;
    s.spawn(question(left, into, out));
    co_await test::settle();
    EXPECT_TRUE(co_await left.write_all(bytes_of("two ")));
    std::string heard;
    while (heard.size() < 8) {
        heard += text_of((co_await right.receive()).value().bytes());
    }
    EXPECT_EQ(heard, "one two ");
    EXPECT_TRUE(co_await right.write_all(bytes_of("answer")));
    co_await s.join();
    EXPECT_EQ(out.value(), 6U);
}

TEST_P(SocketStreamTest, AnotherTaskMayWriteWhileOneWaitsForItsAnswer) {
    run(write_beside_a_linked_read());
}

task<> no_socket() {
    unix_stream none;
    std::array<std::byte, 2> into;
    EXPECT_EQ((co_await none.read_some(into)).error(), std::errc::bad_file_descriptor);
    EXPECT_TRUE(co_await none.close());
    EXPECT_EQ(none.native_handle(), -1);
}

TEST_P(SocketStreamTest, OneWithoutASocketFails) { run(no_socket()); }

}  // namespace
}  // namespace weir
