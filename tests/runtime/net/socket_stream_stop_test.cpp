// Streams that are stopped, closed, dropped or fail.
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

using namespace std::chrono_literals;
using test::bytes_of;
using test::pattern;
using test::read_all;
using test::receive_all;
using test::stream_pair;
using test::text_of;
using test::write_and_close;

class SocketStreamStopTest : public test::stream_test {};
INSTANTIATE_TEST_SUITE_P(Features, SocketStreamStopTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

// ref: all outlive the task, in the one that joins it.
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

TEST_P(SocketStreamStopTest, AStoppedReadEndsAndLosesNothing) {
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

TEST_P(SocketStreamStopTest, AStoppedReceiveEndsAndLosesNothing) { run(stop_a_receive()); }

// ref: awaited at once.
task<result<std::size_t>> read_once(unix_stream& from, std::span<std::byte> into) {
    co_return co_await from.read_some(into);
}

task<> time_out() {
    auto [left, right] = stream_pair();
    std::array<std::byte, 8> into;
    const result<std::size_t> out = co_await with_timeout(1ms, read_once(left, into));
    EXPECT_EQ(out.error(), std::errc::timed_out);
}

TEST_P(SocketStreamStopTest, AReadThatTakesTooLongSaysSo) { run(time_out()); }

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

TEST_P(SocketStreamStopTest, AWriteThatFailedLaterIsToldByTheNext) { run(peer_goes()); }

task<> drop_with_bytes_queued() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("last words")));
    left = unix_stream();
    EXPECT_EQ(co_await read_all(right), "last words");
}

TEST_P(SocketStreamStopTest, WhatWasWrittenGoesOutWhenTheStreamIsDestroyed) {
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

TEST_P(SocketStreamStopTest, ADestroyedStreamLingersInTheBackground) {
    run(drop_with_much_queued(true));
}

TEST_P(SocketStreamStopTest, ALoopThatEndsWaitsForNoPeer) { run(drop_with_much_queued(false)); }

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

TEST_P(SocketStreamStopTest, AClosedStreamRefusesEverything) { run(use_after_close()); }

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

TEST_P(SocketStreamStopTest, CloseEndsWhoReads) { run(close_under_a_reader()); }

task<> stop_a_write() {
    auto [left, right] = stream_pair();
    const std::string large = pattern(10'000'000);
    result<void> out;
    // ref: the text outlives the task.
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

TEST_P(SocketStreamStopTest, AWriteThatIsStoppedHalfWayBreaksTheStream) { run(stop_a_write()); }

}  // namespace
}  // namespace weir
