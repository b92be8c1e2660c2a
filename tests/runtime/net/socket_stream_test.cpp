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
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::pair<unix_stream, unix_stream> stream_pair() { return unix_stream::pair().value(); }

// What arrives until the end of the stream, by read_some.
task<std::string> read_all(unix_stream& from) {
    std::string all;
    std::array<std::byte, 1000> part;
    while (true) {
        const result<std::size_t> count = co_await from.read_some(part);
        if (!count || *count == 0) {
            EXPECT_TRUE(count) << count.error().message();
            co_return all;
        }
        all += text_of(std::span(part).first(*count));
    }
}

// The same by receive().
task<std::string> receive_all(unix_stream& from) {
    std::string all;
    while (true) {
        result<received_buffer> part = co_await from.receive();
        if (!part || !*part) {
            EXPECT_TRUE(part) << part.error().message();
            co_return all;
        }
        all += text_of(part->bytes());
    }
}

task<> write_and_close(unix_stream& to, std::string text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto written =
            co_await to.write_all(bytes_of(text).subspan(at, std::min(piece, text.size() - at)));
        EXPECT_TRUE(written) << written.error().message();
    }
    EXPECT_TRUE(co_await to.close());
}

std::string pattern(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>('a' + at % 23);
    }
    return text;
}

// Each kind of ring: with everything, and with nothing beyond single operations.
class SocketStreamTest : public testing::TestWithParam<bool> {
  protected:
    template <class... A>
    void run(task<> body) {
        event_loop_options options;
        if (!GetParam()) {
            options.features = io_features();
        }
        event_loop loop(options);
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
    }
};
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
    EXPECT_EQ((co_await left.read_some({})).value(), 0U);
    EXPECT_TRUE(co_await left.write_all(bytes_of("")));
}

TEST_P(SocketStreamTest, AnEmptySpanIsDoneAtOnce) { run(read_nothing()); }

// One who answers each message, and one who asks many times.
task<> answer(unix_stream& peer) {
    std::array<std::byte, 64> bytes;
    while (const std::size_t count = (co_await peer.read_some(bytes)).value_or(0)) {
        EXPECT_TRUE(co_await peer.write_all(std::span(bytes).first(count)));
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

task<> read_into(unix_stream& from, std::span<std::byte> into, result<std::size_t>& out) {
    out = co_await from.read_some(into);
}

task<> stop_a_read(bool by_buffers) {
    auto [left, right] = stream_pair();
    if (by_buffers) {
        EXPECT_TRUE(co_await right.write_all(bytes_of("first")));
        EXPECT_TRUE((co_await left.receive()).has_value());
    }
    std::array<std::byte, 8> into;
    result<std::size_t> out = 99;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, read_into(left, into, out)));
    co_await test::settle();
    EXPECT_EQ(out.value_or(0), 99U) << "still waits";
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_TRUE(co_await right.write_all(bytes_of("kept")));
    EXPECT_EQ((co_await left.read_some(into)).value(), 4U) << "nothing is lost by a stop";
}

TEST_P(SocketStreamTest, AStoppedReadEndsAndLosesNothing) {
    run(stop_a_read(false));
    run(stop_a_read(true));
}

task<> receive_into(unix_stream& from, result<received_buffer>& out) {
    out = co_await from.receive();
}

task<> stop_a_receive() {
    auto [left, right] = stream_pair();
    result<received_buffer> out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, receive_into(left, out)));
    co_await test::settle();
    source.request_stop();
    EXPECT_TRUE(co_await right.write_all(bytes_of("kept")));
    EXPECT_TRUE(co_await right.close());
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_EQ(co_await receive_all(left), "kept");
}

TEST_P(SocketStreamTest, AStoppedReceiveEndsAndLosesNothing) { run(stop_a_receive()); }

task<result<std::size_t>> read_once(unix_stream& from, std::span<std::byte> into) {
    co_return co_await from.read_some(into);
}

task<> time_out() {
    auto [left, right] = stream_pair();
    std::array<std::byte, 8> into;
    const result<std::size_t> out = co_await with_timeout(1ms, read_once(left, into));
    EXPECT_EQ(out.error(), std::errc::timed_out);
}

TEST_P(SocketStreamTest, AReadThatTakesTooLongSaysSo) { run(time_out()); }

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

task<> peer_goes() {
    auto [left, right] = stream_pair();
    right = unix_stream();
    result<void> out;
    for (int count = 0; out && count < 10; ++count) {
        out = co_await left.write_all(bytes_of("anybody?"));
        static_cast<void>(co_await left.flush());
    }
    EXPECT_EQ(out.error(), std::errc::broken_pipe);
    EXPECT_EQ((co_await left.close()).error(), std::errc::broken_pipe);
}

TEST_P(SocketStreamTest, AWriteThatFailedLaterIsToldByTheNext) { run(peer_goes()); }

task<> drop_with_bytes_queued() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("last words")));
    left = unix_stream();
    EXPECT_EQ(co_await read_all(right), "last words");
}

TEST_P(SocketStreamTest, WhatWasWrittenGoesOutWhenTheStreamIsDestroyed) {
    run(drop_with_bytes_queued());
}

// More than the socket takes at once.
task<> drop_with_much_queued(bool read_it) {
    auto [left, right] = stream_pair();
    const int small = 4096;
    setsockopt(left.native_handle(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    const std::string text = pattern(60'000);
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
        EXPECT_TRUE(co_await left.write_all(bytes_of(text).subspan(at, 10'000)));
    }
    left = unix_stream();
    if (read_it) {
        EXPECT_TRUE(co_await read_all(right) == text);
    }
}

TEST_P(SocketStreamTest, ADestroyedStreamLingersInTheBackground) {
    run(drop_with_much_queued(true));
}

TEST_P(SocketStreamTest, ALoopThatEndsWaitsForNoPeer) { run(drop_with_much_queued(false)); }

task<> use_after_close() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.close());
    EXPECT_TRUE(co_await left.close()) << "again";
    EXPECT_FALSE(left.is_open());
    std::array<std::byte, 8> into;
    EXPECT_EQ((co_await left.read_some(into)).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ((co_await left.receive()).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ((co_await left.write_all(bytes_of("x"))).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ((co_await left.flush()).error(), std::errc::bad_file_descriptor);
}

TEST_P(SocketStreamTest, AClosedStreamRefusesEverything) { run(use_after_close()); }

task<> close_under_a_reader() {
    auto [left, right] = stream_pair();
    std::array<std::byte, 8> into;
    result<std::size_t> out = 99;
    scope s;
    s.spawn(read_into(left, into, out));
    co_await test::settle();
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
}

TEST_P(SocketStreamTest, CloseEndsWhoReads) { run(close_under_a_reader()); }

task<> stop_a_write() {
    auto [left, right] = stream_pair();
    const std::string large = pattern(10'000'000);
    result<void> out;
    auto writing = [](unix_stream& to, std::string_view text, result<void>& into) -> task<> {
        into = co_await to.write_all(bytes_of(text));
    };
    stop_source source;
    scope s;
    s.spawn(with_stop(source, writing(left, large, out)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_EQ((co_await left.write_all(bytes_of("x"))).error(), std::errc::operation_canceled)
        << "the peer has part of a message";
}

TEST_P(SocketStreamTest, AWriteThatIsStoppedHalfWayBreaksTheStream) { run(stop_a_write()); }

task<> hold_too_many() {
    auto [left, right] = stream_pair();
    std::vector<received_buffer> held;
    while (true) {
        EXPECT_TRUE(co_await left.write_all(bytes_of("x")));
        result<received_buffer> next = co_await right.receive();
        if (!next) {
            EXPECT_EQ(next.error(), std::errc::no_buffer_space);
            break;
        }
        held.push_back(std::move(*next));
    }
    EXPECT_EQ(held.size(), event_loop::current()->options().receive_buffers / 8);
    held.clear();
    EXPECT_TRUE((co_await right.receive()).has_value()) << "and goes on when they are back";
}

TEST_P(SocketStreamTest, OneConnectionCannotHoldAllBuffers) { run(hold_too_many()); }

task<> outlive_the_stream() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("kept")));
    const result<received_buffer> part = co_await right.receive();
    right = unix_stream();
    EXPECT_EQ(text_of(part->bytes()), "kept");
}

TEST_P(SocketStreamTest, ABufferOutlivesItsStream) { run(outlive_the_stream()); }

// More connections than buffers, each with bytes to receive.
task<> many_share(int connections) {
    std::vector<std::pair<unix_stream, unix_stream>> all;
    for (int count = 0; count < connections; ++count) {
        all.push_back(stream_pair());
    }
    scope s;
    const std::string text = pattern(5'000);
    for (auto& [left, right] : all) {
        s.spawn(write_and_close(left, text, 500));
    }
    std::vector<std::string> got(all.size());
    auto reading = [](unix_stream& from, std::string& into) -> task<> {
        into = co_await receive_all(from);
    };
    for (std::size_t at = 0; at < all.size(); ++at) {
        s.spawn(reading(all[at].second, got[at]));
    }
    co_await s.join();
    EXPECT_TRUE(std::ranges::all_of(got, [&](const std::string& one) { return one == text; }));
}

TEST_P(SocketStreamTest, MoreConnectionsThanBuffersAllGetTheirBytes) {
    event_loop_options options;
    options.receive_buffers = 4;
    options.receive_buffer_size = 64;
    if (!GetParam()) {
        options.features = io_features();
    }
    event_loop loop(options);
    loop.run(many_share(20));
    if (GetParam()) {
        EXPECT_GT(loop.counters().buffer_shortages, 0U);
    }
}

task<> mixed() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("abcdef")));
    std::array<std::byte, 2> into;
    EXPECT_EQ((co_await right.read_some(into)).value(), 2U);
    EXPECT_EQ(text_of((co_await right.receive()).value().bytes()), "cdef");
    EXPECT_TRUE(co_await left.write_all(bytes_of("ghijkl")));
    EXPECT_EQ((co_await right.read_some(into)).value(), 2U);
    EXPECT_EQ(text_of(into), "gh");
    EXPECT_EQ(text_of((co_await right.receive()).value().bytes()), "ijkl");
}

TEST_P(SocketStreamTest, BothWaysOfReadingMayFollowEachOther) { run(mixed()); }

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
