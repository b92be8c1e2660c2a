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

class ReceivedBufferTest : public test::stream_test {};
INSTANTIATE_TEST_SUITE_P(Features, ReceivedBufferTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

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

TEST_P(ReceivedBufferTest, OneConnectionCannotHoldAllBuffers) { run(hold_too_many()); }

task<> outlive_the_stream() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("kept")));
    const result<received_buffer> part = co_await right.receive();
    right = unix_stream();
    EXPECT_EQ(text_of(part->bytes()), "kept");
}

TEST_P(ReceivedBufferTest, ABufferOutlivesItsStream) { run(outlive_the_stream()); }

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

TEST_P(ReceivedBufferTest, MoreConnectionsThanBuffersAllGetTheirBytes) {
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

TEST_P(ReceivedBufferTest, BothWaysOfReadingMayFollowEachOther) { run(mixed()); }

}  // namespace
}  // namespace weir
