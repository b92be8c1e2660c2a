#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/send_file.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/peers.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::read_all;
using test::stream_pair;
using test::text_of;
using test::turns;

class SendFileTest : public test::stream_test {};
INSTANTIATE_TEST_SUITE_P(Features, SendFileTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

file_descriptor file_of(std::string_view text) {
    file_descriptor made(memfd_create("text", MFD_CLOEXEC));
    EXPECT_EQ(::write(made.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return made;
}

// ref: all that the tasks below are given outlives them, in the one that joins them.

task<> read_into(unix_stream& from, std::string& into) { into = co_await read_all(from); }

task<> send(std::size_t size, std::uint64_t offset, std::uint64_t count) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(size);
    const file_descriptor from = file_of(text);
    std::string got;
    scope s;
    s.spawn(read_into(right, got));
    EXPECT_TRUE(co_await left.write_all(bytes_of("head ")));
    const result<std::uint64_t> sent = co_await send_file(left, from.get(), offset, count);
    EXPECT_TRUE(co_await left.write_all(bytes_of(" tail")));
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    const std::string part = offset < size ? text.substr(offset, count) : std::string();
    EXPECT_EQ(sent.value(), part.size());
    EXPECT_TRUE(got == "head " + part + " tail");
}

TEST_P(SendFileTest, SendsWhatItIsAskedForUpToTheEnd) {
    run(send(0, 0, UINT64_MAX));
    run(send(1, 0, UINT64_MAX));
    run(send(100, 10, 20));
    run(send(100, 90, 20));
    run(send(100, 200, 20));
    run(send(100, 0, 0));
    run(send(1'000'000, 0, UINT64_MAX));
    run(send(1'000'000, 65'537, 500'000));
}

// /proc cannot be spliced everywhere; its files tell no size.
task<> send_without_splice() {
    auto [left, right] = stream_pair();
    const file_descriptor from(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    std::string got;
    scope s;
    s.spawn(read_into(right, got));
    const result<std::uint64_t> sent = co_await send_file(left, from.get());
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    EXPECT_EQ(sent.value(), got.size());
    EXPECT_TRUE(got.starts_with("Name:")) << got;
}

TEST_P(SendFileTest, WhatCannotBeSplicedIsCopied) { run(send_without_splice()); }

task<> send_without_descriptors() {
    auto [left, right] = stream_pair();
    const std::string text = pattern(200'000);
    const file_descriptor from = file_of(text);
    std::string got;
    scope s;
    s.spawn(read_into(right, got));
    {
        const test::no_more_descriptors limit;
        EXPECT_EQ((co_await send_file(left, from.get())).value(), text.size());
    }
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    EXPECT_TRUE(got == text);
}

TEST_P(SendFileTest, WithoutDescriptorsForAPipeItCopies) { run(send_without_descriptors()); }

task<> send_all_of(socket_stream& to, int from, result<std::uint64_t>& out) {
    out = co_await send_file(to, from);
}

task<> write_meanwhile() {
    auto [left, right] = stream_pair();
    const std::string text = pattern(1'000'000);
    const file_descriptor from = file_of(text);
    result<std::uint64_t> sent = 0;
    std::string got;
    scope s;
    s.spawn(send_all_of(left, from.get(), sent));
    co_await turns(5);
    EXPECT_TRUE(co_await left.write_all(bytes_of(" behind")));
    s.spawn(read_into(right, got));
    EXPECT_TRUE(co_await left.close()) << "waits for the file";
    co_await s.join();
    EXPECT_EQ(sent.value(), text.size());
    EXPECT_TRUE(got == text + " behind");
}

TEST_P(SendFileTest, WhatIsWrittenMeanwhileComesBehind) { run(write_meanwhile()); }

task<> stop_at(int after) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(2'000'000);
    const file_descriptor from = file_of(text);
    result<std::uint64_t> sent = 0;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, send_all_of(left, from.get(), sent)));
    co_await turns(after);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(sent.error(), std::errc::operation_canceled) << "the peer reads nothing";
    const bool goes_on = (co_await left.write_all(bytes_of("x"))).has_value();
    left = unix_stream();
    const std::string got = co_await read_all(right);
    EXPECT_TRUE(got == (goes_on ? "x" : text.substr(0, got.size())));
}

TEST_P(SendFileTest, AStopEndsItWherever) {
    const std::size_t before = test::open_descriptors();
    for (int after = 0; after < 20; ++after) {
        run(stop_at(after));
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

task<> lose_the_peer() {
    auto [first, peer] = test::tcp_sockets(4096);
    tcp_stream stream(std::move(first));
    const file_descriptor from = file_of(pattern(20'000'000));
    result<std::uint64_t> sent = 0;
    scope s;
    s.spawn(send_all_of(stream, from.get(), sent));
    char first_byte = 0;
    while (::recv(peer.get(), &first_byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
        co_await yield();
    }
    test::reset_connection(peer);
    co_await s.join();
    EXPECT_FALSE(sent);
    EXPECT_FALSE(co_await stream.write_all(bytes_of("x"))) << "broken";
    EXPECT_FALSE(co_await send_file(stream, from.get()));
}

TEST_P(SendFileTest, APeerThatResetsEndsItWithoutASignal) { run(lose_the_peer()); }

task<> bad_arguments() {
    auto [left, right] = stream_pair();
    EXPECT_EQ((co_await send_file(left, -1)).error(), std::errc::bad_file_descriptor);
    unix_stream none;
    EXPECT_EQ((co_await send_file(none, 0)).error(), std::errc::bad_file_descriptor);
    EXPECT_TRUE(co_await left.write_all(bytes_of("goes on")));
    EXPECT_TRUE(co_await left.close());
    EXPECT_EQ(co_await read_all(right), "goes on");
}

TEST_P(SendFileTest, AnErrorBeforeTheFirstByteLeavesTheStreamWhole) { run(bad_arguments()); }

}  // namespace
}  // namespace weir
