// Receiving where buffers are few, held by others, or where the kernel copies nothing.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "support/peers.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::read_all;
using test::receive_all;
using test::stream_pair;
using test::text_of;
using test::turns;

class ScarceBuffersTest : public testing::TestWithParam<bool> {
  protected:
    void run(unsigned buffers, task<> body, io_features features = event_loop_options().features) {
        event_loop_options options;
        options.receive_buffers = buffers;
        options.receive_buffer_size = 64;
        options.features = GetParam() ? features : io_features();
        event_loop loop(options);
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
        EXPECT_TRUE(test::all_buffers_are_free(loop));
    }
};
INSTANTIATE_TEST_SUITE_P(Features, ScarceBuffersTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

// ref: all that the tasks below are given outlives them, in the one that joins them.

task<> receive_text(unix_stream& from, std::string& into) {
    const result<received_buffer> part = co_await from.receive();
    into = part ? text_of(part->bytes()) : part.error().message();
}

task<> read_text(unix_stream& from, std::string& into) {
    std::array<std::byte, 64> bytes;
    const result<std::size_t> count = co_await from.read_some(bytes);
    into = count ? text_of(std::span(bytes).first(*count)) : count.error().message();
}

// One connection holds the only buffer, one is silent, one has bytes.
task<> share_one_buffer() {
    auto [holder, to_holder] = stream_pair();
    auto [silent, to_silent] = stream_pair();
    auto [busy, to_busy] = stream_pair();
    EXPECT_TRUE(co_await to_holder.write_all(bytes_of("held")));
    result<received_buffer> held = co_await holder.receive();
    std::string from_silent;
    std::string from_busy;
    scope s;
    s.spawn(receive_text(silent, from_silent));
    s.spawn(receive_text(busy, from_busy));
    EXPECT_TRUE(co_await to_busy.write_all(bytes_of("busy")));
    co_await turns(10);
    EXPECT_EQ(from_busy, "") << "no buffer yet";
    held->reset();
    co_await turns(10);
    EXPECT_EQ(from_busy, "busy") << "the silent one keeps none";
    EXPECT_TRUE(co_await to_silent.write_all(bytes_of("late")));
    EXPECT_TRUE(co_await to_busy.close());
    co_await s.join();
    EXPECT_EQ(from_silent, "late");
}

TEST_P(ScarceBuffersTest, ASilentConnectionKeepsNoBufferFromOthers) { run(1, share_one_buffer()); }

// More at once than the kernel is given at first, and fewer than there are.
task<> receive_a_burst() {
    constexpr std::size_t connections = 200;
    std::vector<std::pair<unix_stream, unix_stream>> pairs;
    std::vector<std::string> got(connections);
    pairs.reserve(connections);
    scope s;
    for (std::size_t index = 0; index < connections; ++index) {
        pairs.push_back(stream_pair());
        s.spawn(receive_text(pairs.back().first, got[index]));
    }
    co_await turns(5);
    for (std::size_t index = 0; index < connections; ++index) {
        EXPECT_TRUE(co_await pairs[index].second.write_all(bytes_of(std::to_string(index))));
    }
    co_await s.join();
    for (std::size_t index = 0; index < connections; ++index) {
        EXPECT_EQ(got[index], std::to_string(index));
    }
    EXPECT_EQ(event_loop::current()->counters().buffer_shortages, 0U);
}

TEST_P(ScarceBuffersTest, TheKernelIsGivenAsManyBuffersAsAreNeededAtOnce) {
    run(256, receive_a_burst());
}

task<> stop_who_starves() {
    auto [holder, to_holder] = stream_pair();
    auto [stopped, to_stopped] = stream_pair();
    auto [busy, to_busy] = stream_pair();
    EXPECT_TRUE(co_await to_holder.write_all(bytes_of("held")));
    result<received_buffer> held = co_await holder.receive();
    std::string from_stopped;
    std::string from_busy;
    stop_source source;
    scope s;
    EXPECT_TRUE(co_await to_stopped.write_all(bytes_of("kept")));
    s.spawn(with_stop(source, receive_text(stopped, from_stopped)));
    co_await turns(10);
    EXPECT_TRUE(co_await to_busy.write_all(bytes_of("busy")));
    s.spawn(receive_text(busy, from_busy));
    co_await turns(10);
    source.request_stop();
    held->reset();
    co_await turns(10);
    EXPECT_EQ(from_busy, "busy");
    std::string kept;
    co_await receive_text(stopped, kept);
    EXPECT_EQ(kept, "kept");
    co_await s.join();
}

TEST_P(ScarceBuffersTest, OneThatIsStoppedLeavesTheBufferToTheNext) { run(1, stop_who_starves()); }

task<> drop_who_starves() {
    auto [holder, to_holder] = stream_pair();
    auto [dropped, to_dropped] = stream_pair();
    EXPECT_TRUE(co_await to_holder.write_all(bytes_of("held")));
    const result<received_buffer> held = co_await holder.receive();
    EXPECT_TRUE(co_await to_dropped.write_all(bytes_of("unseen")));
    std::string got;
    scope s;
    s.spawn(receive_text(dropped, got));
    co_await turns(10);
    EXPECT_TRUE(co_await dropped.close());
    co_await s.join();
    EXPECT_NE(got, "unseen");
}

TEST_P(ScarceBuffersTest, OneThatStarvesCanBeClosed) { run(1, drop_who_starves()); }

// A reader with memory of its own does not depend on buffers, its own connection's or others'.
task<> read_while_all_are_held() {
    auto [left, right] = stream_pair();
    auto [other, to_other] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("first")));
    result<received_buffer> held = co_await right.receive();
    EXPECT_EQ(text_of(held->bytes()), "first");
    std::string got;
    scope s;
    s.spawn(read_text(right, got));
    co_await turns(10);
    EXPECT_TRUE(co_await left.write_all(bytes_of("second")));
    co_await turns(10);
    EXPECT_EQ(got, "second") << "while the first is held";
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    held->reset();
    EXPECT_EQ(co_await receive_all(right), "");
}

TEST_P(ScarceBuffersTest, AReadNeedsNoBufferOfTheLoop) {
    run(1, read_while_all_are_held());
    run(8, read_while_all_are_held());
}

task<> flood(std::size_t size) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(size);
    scope s;
    s.spawn(test::write_and_close(left, text, 16'000));
    co_await turns(3);
    const std::string got = co_await receive_all(right);
    co_await s.join();
    EXPECT_TRUE(got == text) << got.size() << " bytes of " << text.size();
}

TEST_P(ScarceBuffersTest, AFloodComesWholeAndInOrder) {
    for (const unsigned buffers : {1U, 2U, 8U, 1024U}) {
        run(buffers, flood(100'000));
    }
}

// More completions at once than the ring has places for.
TEST_P(ScarceBuffersTest, NothingIsLostWhenCompletionsOverflow) {
    event_loop_options options;
    options.receive_buffers = 4096;
    options.receive_buffer_size = 64;
    options.ring_entries = 2;
    options.max_in_flight = 4;
    options.features = GetParam() ? options.features : io_features();
    options.features.bundles = false;
    event_loop loop(options);
    loop.run(flood(200'000));
    EXPECT_EQ(loop.io().in_flight(), 0U);
    EXPECT_TRUE(test::all_buffers_are_free(loop));
    // A single receive completes once, for which there is a place.
    EXPECT_EQ(loop.counters().overflows != 0, GetParam());
}

task<> zero_copy_without_support() {
    auto [left, right] = stream_pair();
    left.set_zero_copy_min(1);
    const std::string text = pattern(100'000);
    scope s;
    s.spawn(test::write_and_close(left, text, 30'000));
    EXPECT_TRUE(co_await read_all(right) == text);
    co_await s.join();
}

TEST_P(ScarceBuffersTest, ASocketWithoutZeroCopyCopies) { run(8, zero_copy_without_support()); }

// ref: the text outlives the task.
task<> write_text(tcp_stream& to, std::string_view text, result<void>& out) {
    out = co_await to.write_all(bytes_of(text));
}

// The kernel has all bytes, and keeps them where they are, because the peer takes none.
task<> stop_a_zero_copy_write(bool by_stop) {
    auto [first, peer] = test::tcp_sockets(4096);
    tcp_stream stream(std::move(first));
    EXPECT_TRUE(stream.set_send_buffer(1'000'000));
    stream.set_zero_copy_min(1);
    const std::string text = pattern(by_stop ? 300'000 : 16'000);
    const std::string filling = pattern(100'000);
    for (std::size_t at = 0; !by_stop && at < 6; ++at) {
        EXPECT_TRUE(co_await stream.write_all(bytes_of(filling).first(10'000)));
    }
    if (!by_stop) {
        stream = tcp_stream();  // lingers until the loop ends
        co_await turns(10);
        co_return;
    }
    result<void> out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, write_text(stream, text, out)));
    co_await turns(10);
    source.request_stop();
    co_await turns(10);
    EXPECT_EQ(s.size(), 0U) << "ended, though the peer reads nothing";
    peer.reset();
    co_await s.join();
    EXPECT_EQ(out.has_value(), !event_loop::current()->io().features().zero_copy)
        << "a copied one is done when the kernel has it";
    EXPECT_EQ((co_await stream.write_all(bytes_of("x"))).has_value(), out.has_value());
}

TEST_P(ScarceBuffersTest, AStoppedZeroCopyWriteWaitsForNoPeer) {
    run(8, stop_a_zero_copy_write(true));
    run(8, stop_a_zero_copy_write(false));
}

}  // namespace
}  // namespace weir
