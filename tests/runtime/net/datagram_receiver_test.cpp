#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/net/datagram_receiver.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

// Two sockets; what is sent goes to `server`.
struct two_sockets {
    two_sockets()
        : server(datagram_socket::bind(socket_address::loopback_ipv4(0)).value()),
          client(datagram_socket::bind(socket_address::loopback_ipv4(0)).value()),
          to(server.local_address().value()) {}

    void send(std::string_view text) const {
        EXPECT_EQ(::sendto(client.fd(), text.data(), text.size(), 0, to.data(), to.size()),
                  static_cast<ssize_t>(text.size()));
    }

    datagram_socket server;
    datagram_socket client;
    socket_address to;
};

datagram_receiver opened(const datagram_socket& socket, std::uint32_t buffers,
                         std::uint32_t size_max = 100) {
    datagram_receiver_options options;
    options.buffers = buffers;
    options.size_max = size_max;
    return datagram_receiver::open(socket, options).value();
}

std::string text_of(const received_datagram& got) {
    const std::span<std::byte> bytes = got.bytes();
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return got.truncated() ? text + "..." : text;
}

std::string text_of(const result<received_datagram>& got) {
    return got ? text_of(*got) : got.error().message();
}

// ref: the test outlives its tasks
task<std::string> next(datagram_receiver& in) {
    const result<received_datagram> got = co_await in.receive();
    co_return text_of(got);
}

// ref: the test outlives its tasks
task<> next_into(datagram_receiver& in, std::string& out) { out = co_await next(in); }

// With the kernel's multishot receive, and without.
class DatagramReceiverTest : public testing::TestWithParam<bool> {
  protected:
    static void run(task<> (*body)()) {
        event_loop_options options;
        options.features.receive_multishot = GetParam();
        test::virtual_loop loop(options);
        loop.run(body());
    }
};

INSTANTIATE_TEST_SUITE_P(Multishot, DatagramReceiverTest, testing::Bool());

task<> look_at_ways(bool& multishot) {
    const two_sockets sockets;
    const datagram_receiver in = opened(sockets.server, 1);
    multishot = in.is_multishot();
    co_return;
}

TEST(DatagramReceiverWaysTest, WithoutTheFeatureEachDatagramIsAReceive) {
    event_loop_options options;
    options.features.receive_multishot = false;
    test::virtual_loop loop(options);
    bool multishot = true;
    loop.run(look_at_ways(multishot));
    EXPECT_FALSE(multishot);
}

task<> in_order() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 8);
    sockets.send("one");
    sockets.send("");
    sockets.send("three");
    const result<received_datagram> first = co_await in.receive();
    EXPECT_EQ(text_of(first), "one");
    EXPECT_EQ(first->from(), sockets.client.local_address());
    EXPECT_EQ(co_await next(in), "") << "a datagram may be empty";
    EXPECT_EQ(co_await next(in), "three");
    EXPECT_EQ(text_of(first), "one") << "the buffer is still its owner's";
}

TEST_P(DatagramReceiverTest, DatagramsComeInOrderWithTheirSender) { run(in_order); }

task<> cut() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2, 5);
    sockets.send("12345");
    sockets.send("123456");
    sockets.send("1");
    EXPECT_EQ(co_await next(in), "12345");
    EXPECT_EQ(co_await next(in), "12345...");
    EXPECT_EQ(co_await next(in), "1");
}

TEST_P(DatagramReceiverTest, WhatDoesNotFitIsReportedAndLost) { run(cut); }

task<> wait_each() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 4);
    std::string first;
    std::string second;
    scope s;
    s.spawn(next_into(in, first));
    s.spawn(next_into(in, second));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    sockets.send("a");
    sockets.send("b");
    co_await s.join();
    EXPECT_EQ(first, "a");
    EXPECT_EQ(second, "b");
}

TEST_P(DatagramReceiverTest, WaitersAreServedInOrder) { run(wait_each); }

task<> no_buffer_left() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2);
    for (const char* const text : {"1", "2", "3", "4", "5"}) {
        sockets.send(text);
    }
    std::optional<received_datagram> first((co_await in.receive()).value());
    const received_datagram second = (co_await in.receive()).value();
    std::string third;
    scope s;
    s.spawn(next_into(in, third));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "it waits while both buffers are held";
    EXPECT_EQ(text_of(*first), "1");
    EXPECT_EQ(text_of(second), "2");
    first.reset();
    co_await s.join();
    EXPECT_EQ(third, "3");
    EXPECT_EQ(co_await next(in), "4");
    EXPECT_EQ(co_await next(in), "5");
}

TEST_P(DatagramReceiverTest, WhatFindsNoBufferWaitsInTheSocket) { run(no_buffer_left); }

task<> many_through_few() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2);
    for (int round = 0; round < 20; ++round) {
        for (int number = 0; number < 5; ++number) {
            sockets.send(std::to_string(round * 5 + number));
        }
        for (int number = 0; number < 5; ++number) {
            EXPECT_EQ(co_await next(in), std::to_string(round * 5 + number));
        }
    }
}

TEST_P(DatagramReceiverTest, BuffersAreUsedAgain) { run(many_through_few); }

task<> stopped() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2);
    std::string out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, next_into(in, out)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    const std::string canceled_text = std::make_error_code(std::errc::operation_canceled).message();
    EXPECT_EQ(out, canceled_text);
    sockets.send("late");
    co_await test::settle();
    co_await with_stop(source, next_into(in, out));
    EXPECT_EQ(out, canceled_text) << "though one is there";
    EXPECT_EQ(co_await next(in), "late") << "none was taken";
}

TEST_P(DatagramReceiverTest, AStopTakesNoDatagram) { run(stopped); }

// Its last waiter was stopped, and the kernel still receives for it.
task<> leave_armed() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2);
    std::string out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, next_into(in, out)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    sockets.send("never asked for");
}

task<> leave_while_armed() {
    const std::size_t before = test::open_descriptors();
    co_await leave_armed();
    co_await test::settle();
    EXPECT_EQ(test::open_descriptors(), before);
    co_await leave_armed();  // and once more at the end of the run
}

TEST_P(DatagramReceiverTest, ItMayGoWhileItReceives) { run(leave_while_armed); }

task<> outlive() {
    two_sockets sockets;
    std::optional<received_datagram> kept;
    {
        datagram_receiver in = opened(sockets.server, 2);
        sockets.send("kept");
        kept.emplace((co_await in.receive()).value());
        sockets.server.close();
    }
    co_await test::settle();
    EXPECT_EQ(text_of(*kept), "kept");
}

TEST_P(DatagramReceiverTest, ADatagramOutlivesItsReceiverAndItsSocket) { run(outlive); }

task<> moves() {
    const two_sockets sockets;
    datagram_receiver in = opened(sockets.server, 2);
    sockets.send("1");
    sockets.send("2");
    sockets.send("3");
    received_datagram held = (co_await in.receive()).value();
    held = (co_await in.receive()).value();
    EXPECT_EQ(text_of(held), "2");
    EXPECT_EQ(co_await next(in), "3") << "the buffer of the first is free again";
}

TEST_P(DatagramReceiverTest, AMoveGivesTheFormerBufferBack) { run(moves); }

task<> one_error() {
    datagram_socket client = datagram_socket::bind(socket_address::loopback_ipv4(0)).value();
    const socket_address mine = client.local_address().value();
    socket_address there;
    {
        const datagram_socket gone =
            datagram_socket::bind(socket_address::loopback_ipv4(0)).value();
        there = gone.local_address().value();
    }
    EXPECT_TRUE(client.connect(there));
    datagram_receiver in = opened(client, 2);
    EXPECT_EQ(::send(client.fd(), "x", 1, 0), 1);
    EXPECT_EQ(co_await next(in), std::make_error_code(std::errc::connection_refused).message());
    const datagram_socket back = datagram_socket::bind(there).value();
    EXPECT_EQ(::sendto(back.fd(), "y", 1, 0, mine.data(), mine.size()), 1);
    EXPECT_EQ(co_await next(in), "y") << "it goes on after an error";
}

TEST_P(DatagramReceiverTest, AnErrorIsReturnedOnce) { run(one_error); }

task<> refusals() {
    two_sockets sockets;
    for (const auto& [buffers, size_max] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
             {0, 1}, {32'769, 1}, {1, 0}, {1, 65'536}}) {
        datagram_receiver_options options;
        options.buffers = buffers;
        options.size_max = size_max;
        EXPECT_EQ(datagram_receiver::open(sockets.server, options).error(),
                  std::errc::invalid_argument);
    }
    sockets.server.close();
    EXPECT_EQ(datagram_receiver::open(sockets.server).error(), std::errc::bad_file_descriptor);
    co_return;
}

TEST_P(DatagramReceiverTest, BadOptionsAreRefused) { run(refusals); }

}  // namespace
}  // namespace weir
