// A stop at every turn of the loop, and a failing allocation at every place, in an exchange over
// streams: nothing hangs, no byte is lost, and nothing is left behind.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <new>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "support/allocations.hpp"
#include "support/io.hpp"
#include "support/peers.hpp"
#include "support/run_test.hpp"
#include "support/streams.hpp"

namespace weir {
namespace {

using test::bytes_of;
using test::pattern;
using test::stream_pair;
using test::text_of;
using test::turns;

constexpr int turns_max = 40;

struct kind_of_loop {
    const char* name;
    bool all_features;
    unsigned ring_entries;
    unsigned max_in_flight;
    unsigned receive_buffers;
};

std::ostream& operator<<(std::ostream& out, const kind_of_loop& kind) { return out << kind.name; }

class StopPointsTest : public testing::TestWithParam<kind_of_loop> {
  protected:
    static event_loop_options options() {
        event_loop_options made;
        made.ring_entries = GetParam().ring_entries;
        made.max_in_flight = GetParam().max_in_flight;
        made.receive_buffers = GetParam().receive_buffers;
        if (!GetParam().all_features) {
            made.features = io_features();
        }
        return made;
    }

    static void run(task<> body) {
        event_loop loop(options());
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
        EXPECT_TRUE(test::all_buffers_are_free(loop));
    }
};
INSTANTIATE_TEST_SUITE_P(Loops, StopPointsTest,
                         testing::Values(kind_of_loop{"All", true, 256, 4096, 256},
                                         kind_of_loop{"None", false, 256, 4096, 256},
                                         kind_of_loop{"Small", true, 2, 4, 1},
                                         kind_of_loop{"SmallNone", false, 2, 4, 1}),
                         [](const auto& which) { return std::string(which.param.name); });

// ref: all that the tasks below are given outlives them, in the one that joins them.

// Reads one way and the other until the end or a stop; says whether it was the end.
task<bool> read_on(unix_stream& from, std::string& into) {
    std::array<std::byte, 100> bytes;
    while (true) {
        const result<received_buffer> part = co_await from.receive();
        if (!part || !*part) {
            co_return part.has_value();
        }
        into += text_of(part->bytes());
        const result<std::size_t> count = co_await from.read_some(bytes);
        if (!count || *count == 0) {
            co_return count.has_value();
        }
        into += text_of(std::span(bytes).first(*count));
    }
}

task<> read_while_allowed(unix_stream& from, std::string& into) {
    static_cast<void>(co_await read_on(from, into));
}

task<> write_text(unix_stream& to, std::string text, std::size_t piece, std::size_t& taken) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const result<void> written =
            co_await to.write_all(bytes_of(text).subspan(at, std::min(piece, text.size() - at)));
        if (!written) {
            break;
        }
        taken = std::min(at + piece, text.size());
        if (at % 3 == 0) {
            const result<void> flushed = co_await to.flush();
            static_cast<void>(flushed);
        }
    }
    const result<void> closed = co_await to.close();
    static_cast<void>(closed);
}

// The reader is stopped after so many turns; another one reads the rest.
task<> stop_a_reader(int after) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(3'000);
    std::string got;
    std::size_t taken = 0;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, read_while_allowed(right, got)));
    s.spawn(write_text(left, text, 100, taken));
    co_await turns(after);
    source.request_stop();
    co_await turns(2);
    EXPECT_TRUE(co_await read_on(right, got));
    co_await s.join();
    EXPECT_EQ(taken, text.size());
    EXPECT_TRUE(got == text) << got.size() << " bytes, stopped after " << after;
}

TEST_P(StopPointsTest, AStopOfTheReaderAnywhereLosesNothing) {
    for (int after = 0; after <= turns_max; ++after) {
        run(stop_a_reader(after));
    }
}

// The writer is stopped: what it was told was taken arrives, and nothing else.
task<> stop_a_writer(int after, std::size_t piece) {
    auto [left, right] = stream_pair();
    const std::string text = pattern(30 * piece);
    std::string got;
    std::size_t taken = 0;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, write_text(left, text, piece, taken)));
    s.spawn(read_while_allowed(right, got));
    co_await turns(after);
    source.request_stop();
    co_await turns(2);
    left = unix_stream();
    co_await s.join();
    EXPECT_TRUE(got == text.substr(0, got.size()));
    EXPECT_GE(got.size(), taken) << "stopped after " << after;
    EXPECT_LE(got.size(), taken + (piece < 16'384 ? 0 : piece));
}

TEST_P(StopPointsTest, AStopOfTheWriterAnywhereKeepsWhatWasTaken) {
    for (int after = 0; after <= turns_max; ++after) {
        run(stop_a_writer(after, 100));
        run(stop_a_writer(after, 20'000));
    }
}

task<> echo(unix_stream& peer) {
    std::array<std::byte, 64> bytes;
    bool goes_on = true;
    while (goes_on) {
        const std::size_t count = (co_await peer.read_some(bytes)).value_or(0);
        const result<void> written = co_await peer.write_all(std::span(bytes).first(count));
        goes_on = count != 0 && written;
    }
    const result<void> closed = co_await peer.close();
    static_cast<void>(closed);
}

task<> ask(unix_stream& peer, int times, int& answers) {
    std::array<std::byte, 64> bytes;
    for (int count = 0; count < times; ++count) {
        const result<void> written = co_await peer.write_all(bytes_of("question"));
        const result<std::size_t> heard = co_await peer.read_some(bytes);
        if (!written || heard.value_or(0) == 0) {
            co_return;
        }
        ++answers;
    }
}

// Both ends are stopped, one turn after the other.
task<> stop_an_exchange(int after) {
    auto [left, right] = stream_pair();
    int answers = 0;
    stop_source client;
    stop_source server;
    scope s;
    s.spawn(with_stop(server, echo(right)));
    s.spawn(with_stop(client, ask(left, 100, answers)));
    co_await turns(after);
    server.request_stop();
    co_await turns(1);
    client.request_stop();
    co_await s.join();
    EXPECT_LT(answers, 100);
}

TEST_P(StopPointsTest, AnExchangeEndsWhereverItIsStopped) {
    for (int after = 0; after <= turns_max; ++after) {
        run(stop_an_exchange(after));
    }
}

task<> serve_one(tcp_listener& from) {
    auto peer = co_await from.accept();
    if (!peer) {
        co_return;
    }
    const result<received_buffer> part = co_await peer->receive();
    if (part) {
        const result<void> written = co_await peer->write_all(part->bytes());
        static_cast<void>(written);
    }
}

task<> visit(tcp_listener& server, std::string& heard) {
    auto stream = co_await tcp_stream::connect(server.local_address().value());
    if (stream) {
        std::array<std::byte, 64> bytes;
        const result<void> written = co_await stream->write_all(bytes_of("hello"));
        static_cast<void>(written);
        const result<std::size_t> count = co_await stream->read_some(bytes);
        heard = text_of(std::span(bytes).first(count.value_or(0)));
    }
}

task<> leave(tcp_listener& server, task<> visiting) {
    std::exception_ptr error;
    try {
        co_await std::move(visiting);
    } catch (...) {
        error = std::current_exception();
    }
    server.close();
    if (error) {
        std::rethrow_exception(error);
    }
}

task<> meet(std::string& heard) {
    auto server = tcp_listener::listen(socket_address::loopback_ipv4(0)).value();
    scope s;
    std::exception_ptr error;
    try {
        s.spawn(serve_one(server));
        s.spawn(leave(server, visit(server, heard)));
    } catch (...) {
        error = std::current_exception();
        server.close();
    }
    co_await s.join();
    if (error) {
        std::rethrow_exception(error);
    }
}

TEST_P(StopPointsTest, AFailingAllocationAnywhereIsSurvived) {
    const test::unrecycled_frames fresh;
    for (std::size_t failures = 0; failures < 1000; ++failures) {
        event_loop loop(options());
        loop.run(turns(1));
        const std::size_t open = test::open_descriptors();
        std::string heard;
        test::ending end{};
        task<> observed = test::observe(meet(heard), end);
        bool has_failed = false;
        {
            const test::allocation_failure failure(failures);
            loop.run(std::move(observed));
            has_failed = failure.triggered();
        }
        EXPECT_NE(end, test::ending::pending);
        EXPECT_EQ(loop.io().in_flight(), 0U) << "after failure of allocation " << failures;
        EXPECT_TRUE(test::all_buffers_are_free(loop));
        EXPECT_EQ(test::open_descriptors(), open) << "after failure of allocation " << failures;
        if (!has_failed) {
            EXPECT_EQ(heard, "hello");
            EXPECT_GT(failures, 5U);
            return;
        }
    }
    ADD_FAILURE() << "an allocation fails in every run";
}

}  // namespace
}  // namespace weir
