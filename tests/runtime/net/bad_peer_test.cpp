// Peers that send a byte at a time, stop, close or reset anywhere, or never read.
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "support/allocations.hpp"
#include "support/peers.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::text_of;
using test::turns;

constexpr std::size_t message_size = 24;

// Both kinds of ring, and both ways to read.
class BadPeerTest : public testing::TestWithParam<std::pair<bool, bool>> {
  protected:
    [[nodiscard]] static bool by_buffers() { return GetParam().second; }

    void run(task<> body) {
        event_loop_options options;
        if (!GetParam().first) {
            options.features = io_features();
        }
        event_loop loop(options);
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
        EXPECT_TRUE(test::all_buffers_are_free(loop));
    }
};
INSTANTIATE_TEST_SUITE_P(Features, BadPeerTest,
                         testing::Values(std::pair(true, true), std::pair(true, false),
                                         std::pair(false, true), std::pair(false, false)),
                         [](const auto& which) {
                             return std::string(which.param.first ? "All" : "None") +
                                    (which.param.second ? "ByBuffers" : "IntoSpans");
                         });

// How a stream of bytes ended.
struct heard {
    std::string text;
    std::optional<std::error_code> end;  // no error: the end of the stream
};

// ref: all that the tasks below are given outlives them, in the one that joins them.

task<result<std::string>> next_part(tcp_stream& from, bool by_buffers) {
    if (by_buffers) {
        const result<received_buffer> part = co_await from.receive();
        if (!part) {
            co_return std::unexpected(part.error());
        }
        co_return text_of(part->bytes());
    }
    std::array<std::byte, 7> bytes;
    const result<std::size_t> count = co_await from.read_some(bytes);
    if (!count) {
        co_return std::unexpected(count.error());
    }
    co_return text_of(std::span(bytes).first(*count));
}

task<> hear(tcp_stream& from, bool by_buffers, heard& into) {
    while (!into.end) {
        const result<std::string> part = co_await next_part(from, by_buffers);
        if (!part || part->empty()) {
            into.end = part ? std::error_code() : part.error();
        } else {
            into.text += *part;
        }
    }
}

task<> fragments(bool by_buffers) {
    auto [first, peer] = test::tcp_sockets();
    tcp_stream stream(std::move(first));
    const std::string text = pattern(200);
    heard got;
    scope s;
    s.spawn(hear(stream, by_buffers, got));
    for (const char& byte : text) {
        test::send_now(peer, std::string_view(&byte, 1));
        co_await turns(1);
    }
    peer.reset();
    co_await s.join();
    EXPECT_EQ(got.text, text);
    EXPECT_EQ(got.end, std::error_code());
}

TEST_P(BadPeerTest, OneByteAtATimeArrivesInOrder) { run(fragments(by_buffers())); }

enum class way { half_close, close, reset };

task<> leave_at(std::size_t position, way how, bool by_buffers, bool waits_first) {
    auto [first, peer] = test::tcp_sockets();
    tcp_stream stream(std::move(first));
    const std::string text = pattern(message_size);
    heard got;
    scope s;
    s.spawn(hear(stream, by_buffers, got));
    if (waits_first) {
        co_await turns(3);
    }
    test::send_now(peer, text.substr(0, position));
    if (how == way::half_close) {
        EXPECT_EQ(::shutdown(peer.get(), SHUT_WR), 0);
    } else if (how == way::close) {
        peer.reset();
    } else {
        test::reset_connection(peer);
    }
    co_await s.join();
    EXPECT_EQ(got.text, text.substr(0, position));
    EXPECT_TRUE(*got.end == (how == way::reset ? std::errc::connection_reset : std::errc()))
        << "after " << position << " bytes";
    if (how == way::half_close) {
        EXPECT_TRUE(co_await stream.write_all(bytes_of("answer")));
        EXPECT_TRUE(co_await stream.close());
        EXPECT_EQ(test::receive_now(peer), "answer");
    }
}

TEST_P(BadPeerTest, AnEndAtEveryByteIsToldBehindTheBytes) {
    for (std::size_t position = 0; position <= message_size; ++position) {
        for (const way how : {way::half_close, way::close, way::reset}) {
            run(leave_at(position, how, by_buffers(), false));
            run(leave_at(position, how, by_buffers(), true));
        }
    }
}

// Ends the peer without a word to the other end, as a loss of power does. False where this process
// may not (CAP_NET_ADMIN).
bool vanish(file_descriptor& peer) {
    const int on = 1;
    const bool may = setsockopt(peer.get(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0;
    peer.reset();
    return may;
}

bool may_vanish() {
    auto [first, second] = test::tcp_sockets();
    return vanish(second);
}

task<> lose_sight_of(bool by_buffers, bool by_probes) {
    auto [first, peer] = test::tcp_sockets();
    tcp_stream stream(std::move(first));
    if (by_probes) {
        keep_alive_options probes;
        probes.idle_s = 1;
        probes.interval_s = 1;
        EXPECT_TRUE(stream.set_keep_alive(probes));
    }
    heard got;
    scope s;
    s.spawn(hear(stream, by_buffers, got));
    co_await turns(3);
    EXPECT_TRUE(vanish(peer));
    co_await turns(10);
    EXPECT_FALSE(got.end) << "nobody knows yet";
    if (!by_probes) {
        EXPECT_TRUE(co_await stream.write_all(bytes_of("are you there?")));
    }
    co_await s.join();
    EXPECT_TRUE(*got.end == std::errc::connection_reset) << got.end->message();
}

TEST_P(BadPeerTest, AHalfOpenPeerIsFoundByAWrite) {
    if (!may_vanish()) {
        GTEST_SKIP() << "needs CAP_NET_ADMIN";
    }
    run(lose_sight_of(by_buffers(), false));
}

// A second, the shortest that the kernel knows.
TEST_P(BadPeerTest, AHalfOpenPeerIsFoundByProbes) {
    if (!may_vanish()) {
        GTEST_SKIP() << "needs CAP_NET_ADMIN";
    }
    run(lose_sight_of(by_buffers(), true));
}

// Writes for ever; counts what was taken.
task<> write_on(tcp_stream& to, std::size_t piece, std::size_t& taken, result<void>& out) {
    const std::string text = pattern(piece);
    while (out) {
        out = co_await to.write_all(bytes_of(text));
        taken += out ? piece : 0;
    }
}

task<> never_read(std::size_t piece, bool is_stopped) {
    auto [first, peer] = test::tcp_sockets(4096);
    tcp_stream stream(std::move(first));
    EXPECT_TRUE(stream.set_send_buffer(8192));
    std::size_t taken = 0;
    result<void> out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, write_on(stream, piece, taken, out)));
    const test::allocation_counter counter;
    co_await turns(100);
    const std::size_t at_rest = taken;
    EXPECT_LT(at_rest, 1'000'000U);
    co_await turns(100);
    EXPECT_EQ(taken, at_rest) << "it waits";
    EXPECT_LT(counter.bytes(), 400'000U);
    if (is_stopped) {
        source.request_stop();
    } else {
        test::reset_connection(peer);
    }
    co_await s.join();
    EXPECT_FALSE(out);
    EXPECT_EQ(out.error() == std::errc::operation_canceled, is_stopped) << out.error().message();
}

TEST_P(BadPeerTest, AWriterWaitsForAPeerThatNeverReads) {
    for (const std::size_t piece : {100UZ, 10'000UZ, 100'000UZ}) {
        run(never_read(piece, true));
        run(never_read(piece, false));
    }
}

task<> drop_before_a_silent_peer(tcp_stream* kept) {
    auto [first, peer] = test::tcp_sockets(4096);
    tcp_stream stream(std::move(first));
    EXPECT_TRUE(stream.set_send_buffer(8192));
    const std::string text = pattern(10'000);
    for (int count = 0; count < 6; ++count) {
        EXPECT_TRUE(co_await stream.write_all(bytes_of(text)));
    }
    if (kept != nullptr) {
        *kept = std::move(stream);
    }
}

TEST_P(BadPeerTest, AStreamDroppedBeforeASilentPeerHoldsNobodyUp) {
    run(drop_before_a_silent_peer(nullptr));
    event_loop loop;
    tcp_stream kept;
    loop.run(drop_before_a_silent_peer(&kept));
    kept = tcp_stream();
}

task<> refused() {
    auto listening = tcp_listener::listen(socket_address::loopback_ipv4(0)).value();
    const socket_address at = listening.local_address().value();
    {
        const test::no_more_descriptors limit;
        EXPECT_EQ((co_await tcp_stream::connect(at)).error(), std::errc::too_many_files_open);
    }
    listening.close();
    EXPECT_EQ((co_await tcp_stream::connect(at)).error(), std::errc::connection_refused);
}

TEST_P(BadPeerTest, AConnectThatFailsSaysWhy) { run(refused()); }

}  // namespace
}  // namespace weir
