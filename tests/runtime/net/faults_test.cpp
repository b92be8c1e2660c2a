// Streams and listeners at moments that are rare: closed, stopped or dropped between one step and
// the next, and with little of everything.
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "support/io.hpp"
#include "support/peers.hpp"
#include "support/run_test.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::read_all;
using test::stream_pair;
using test::text_of;
using test::turns;

class FaultsTest : public test::stream_test {
  protected:
    event_loop_options options() const {
        event_loop_options made;
        if (!GetParam()) {
            made.features = io_features();
        }
        return made;
    }
};
INSTANTIATE_TEST_SUITE_P(Features, FaultsTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "All" : "None"; });

// ref: all that the tasks below are given outlives them, in the one that joins them.

// ref: the text outlives the task.
task<> write_all_of(socket_stream& to, std::string_view text, result<void>& out) {
    out = co_await to.write_all(bytes_of(text));
}

task<> receive_text(unix_stream& from, std::string& into, std::error_code& error) {
    const result<received_buffer> part = co_await from.receive();
    if (part) {
        into = text_of(part->bytes());
    } else {
        error = part.error();
    }
}

// ref: the text is a literal.
task<> ask(unix_stream& peer, std::string_view text, result<std::size_t>& out) {
    std::array<std::byte, 16> into;
    EXPECT_TRUE(co_await peer.write_all(bytes_of(text)));
    out = co_await peer.read_some(into);
}

task<> close_a_broken_stream() {
    auto [left, right] = stream_pair();
    const std::string large = pattern(10'000'000);
    result<void> out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, write_all_of(left, large, out)));
    co_await turns(5);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_EQ((co_await left.close()).error(), std::errc::operation_canceled) << "what went wrong";
    EXPECT_FALSE(left.is_open());
}

TEST_P(FaultsTest, AStreamThatAStoppedWriteBrokeCanBeClosed) { run(close_a_broken_stream()); }

// Its reader takes leave when the stream is closed under it.
task<> say_goodbye(unix_stream& peer) {
    std::array<std::byte, 8> into;
    const result<std::size_t> count = co_await peer.read_some(into);
    EXPECT_EQ(count.error(), std::errc::operation_canceled);
    EXPECT_TRUE(co_await peer.write_all(bytes_of("goodbye")));
}

task<> write_while_it_is_closed() {
    auto [left, right] = stream_pair();
    scope s;
    s.spawn(say_goodbye(left));
    co_await turns(2);
    EXPECT_TRUE(co_await left.close());
    co_await s.join();
    EXPECT_EQ(co_await read_all(right), "goodbye");
}

TEST_P(FaultsTest, WhatIsWrittenWhileAStreamClosesStillGoesOut) { run(write_while_it_is_closed()); }

// The receive has been asked for and not been submitted when its descriptor is closed; the next
// owner of the number has bytes waiting.
task<> close_and_reuse(unix_stream& old, std::optional<file_descriptor>& reused) {
    const int number = old.native_handle();
    EXPECT_TRUE(co_await old.close());
    auto [first, second] = test::unix_sockets();
    EXPECT_TRUE(first.get() == number || second.get() == number);
    if (first.get() != number) {
        std::swap(first, second);
    }
    test::send_now(second, "not for the old one");
    reused = std::move(first);
}

task<> reuse_of_a_stream() {
    auto [left, right] = stream_pair();
    EXPECT_TRUE(co_await left.write_all(bytes_of("x")));
    EXPECT_TRUE((co_await right.receive()).has_value()) << "the buffers are there";
    std::string got;
    std::error_code error;
    std::optional<file_descriptor> reused;
    scope s;
    s.spawn(receive_text(left, got, error));
    s.spawn(close_and_reuse(left, reused));
    co_await s.join();
    co_await turns(3);
    EXPECT_EQ(error, std::errc::operation_canceled);
    EXPECT_EQ(test::receive_now(*reused), "not for the old one");
}

TEST_P(FaultsTest, AReceiveNeverReachesTheNextOwnerOfItsNumber) { run(reuse_of_a_stream()); }

task<> accept_in_vain(tcp_listener& from) {
    EXPECT_EQ((co_await from.accept()).error(), std::errc::operation_canceled);
}

task<> relisten(tcp_listener& old, file_descriptor& reused, file_descriptor& client) {
    const int number = old.native_handle();
    old.close();
    reused = detail::open_listener(socket_address::loopback_ipv4(0), SOCK_STREAM, {}).value();
    EXPECT_EQ(reused.get(), number);
    const socket_address at = detail::local_address_of(reused.get()).value();
    client = file_descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), at.data(), at.size()), 0);
    co_return;
}

task<> reuse_of_a_listener() {
    auto server = tcp_listener::listen(socket_address::loopback_ipv4(0)).value();
    file_descriptor reused;
    file_descriptor client;
    scope s;
    s.spawn(accept_in_vain(server));
    s.spawn(relisten(server, reused, client));
    co_await s.join();
    co_await turns(3);
    pollfd connections{.fd = reused.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&connections, 1, 0), 1) << "the connection is still to be accepted";
}

TEST_P(FaultsTest, AnAcceptNeverReachesTheNextOwnerOfItsNumber) { run(reuse_of_a_listener()); }

// Posts a stop when the requests of a tick have been prepared, before they are submitted.
struct late_stop : detail::tick_end_node {
    explicit late_stop(stop_source& to_stop)
        : tick_end_node([](detail::tick_end_node& self) noexcept {
              stop_source& target = static_cast<late_stop&>(self).source;
              event_loop::current()->post([&target] { target.request_stop(); });
          }),
          source(to_stop) {}

    stop_source& source;
};

task<> queue_node(detail::tick_end_node& node) {
    event_loop::current()->at_tick_end(node);
    co_return;
}

task<> stop_before_submission() {
    auto [left, right] = stream_pair();
    result<std::size_t> out = 99;
    stop_source source;
    late_stop node(source);
    scope s;
    s.spawn(with_stop(source, ask(left, "question", out)));
    s.spawn(queue_node(node));
    co_await turns(20);
    EXPECT_FALSE(out) << "ends, whatever the peer does";
    std::array<std::byte, 16> into;
    EXPECT_EQ((co_await right.read_some(into)).value(), 8U);
    EXPECT_TRUE(co_await right.write_all(bytes_of("answer")));
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
}

TEST_P(FaultsTest, AReadThatIsStoppedBeforeItsSubmissionEnds) { run(stop_before_submission()); }

// ref: the pipe outlives the task.
task<> expect_byte(const test::pipe_pair& from, char& into) {
    EXPECT_TRUE(co_await test::read_byte(&from, &into));
}

task<> stop_while_deferred() {
    auto [left, right] = stream_pair();
    const test::pipe_pair pipe;
    char byte = 0;
    result<std::size_t> out = 99;
    stop_source source;
    scope s;
    s.spawn(expect_byte(pipe, byte));
    co_await test::settle();
    s.spawn(with_stop(source, ask(left, "question", out)));
    co_await test::settle();
    source.request_stop();
    co_await test::settle();
    pipe.put('x');
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_TRUE(co_await left.close());
    EXPECT_EQ(co_await read_all(right), "question");
}

TEST_P(FaultsTest, WhatWasWrittenSurvivesAStopBeforeThereWasRoomForIt) {
    event_loop_options one = options();
    one.max_in_flight = 1;
    event_loop loop(one);
    loop.run(stop_while_deferred());
}

task<> answer_once(unix_stream& peer) {
    std::array<std::byte, 16> into;
    const std::size_t count = (co_await peer.read_some(into)).value_or(0);
    EXPECT_TRUE(co_await peer.write_all(std::span(into).first(count)));
}

task<> ask_and_answer() {
    auto [left, right] = stream_pair();
    result<std::size_t> out = 0;
    scope s;
    s.spawn(answer_once(right));
    s.spawn(ask(left, "question", out));
    co_await s.join();
    EXPECT_EQ(out.value(), 8U);
}

TEST_P(FaultsTest, ARingOfOneEntryWillDo) {
    event_loop_options one = options();
    one.ring_entries = 1;
    event_loop loop(one);
    loop.run(ask_and_answer());
}

task<> leave_a_receive(std::optional<unix_stream>& kept, std::optional<unix_stream>& peer) {
    auto [left, right] = stream_pair();
    std::string got;
    std::error_code error;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, receive_text(left, got, error)));
    co_await turns(2);
    source.request_stop();
    co_await s.join();
    kept.emplace(std::move(left));
    peer.emplace(std::move(right));
}

TEST_P(FaultsTest, AStreamMayGoBetweenTheEndOfRunAndThatOfItsLoop) {
    event_loop loop(options());
    std::optional<unix_stream> kept;
    std::optional<unix_stream> peer;
    loop.run(leave_a_receive(kept, peer));
    kept.reset();
    peer.reset();
}

}  // namespace
}  // namespace weir
