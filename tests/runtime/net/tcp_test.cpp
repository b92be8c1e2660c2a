#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

tcp_listener listen_on(const socket_address& address) {
    return tcp_listener::listen(address).value();
}

// Both ends of a connection over loopback.
struct connection {
    tcp_stream client;
    tcp_stream server;
};

task<connection> connect_to(tcp_listener& server) {
    const socket_address at = server.local_address().value();
    connection made;
    made.client = (co_await tcp_stream::connect(at)).value();
    made.server = (co_await server.accept()).value();
    co_return made;
}

task<> greet(socket_address at) {
    tcp_listener server = listen_on(at);
    connection ends = co_await connect_to(server);
    EXPECT_TRUE(co_await ends.client.write_all(bytes_of("hello")));
    std::array<std::byte, 16> into;
    EXPECT_EQ((co_await ends.server.read_some(into)).value(), 5U);
    EXPECT_EQ(ends.client.peer_address().value(), ends.server.local_address().value());
    EXPECT_EQ(ends.server.peer_address().value(), ends.client.local_address().value());
}

TEST(TcpTest, ConnectsOverBothFamilies) {
    test::run_test(greet(socket_address::loopback_ipv4(0)));
    test::run_test(greet(socket_address::loopback_ipv6(0)));
}

task<> refused() {
    tcp_listener server = listen_on(socket_address::loopback_ipv4(0));
    const socket_address at = server.local_address().value();
    server.close();
    const result<tcp_stream> made = co_await tcp_stream::connect(at);
    EXPECT_EQ(made.error(), std::errc::connection_refused);
}

TEST(TcpTest, ARefusedConnectionSaysSo) { test::run_test(refused()); }

task<> several_addresses() {
    tcp_listener gone = listen_on(socket_address::loopback_ipv4(0));
    tcp_listener server = listen_on(socket_address::loopback_ipv6(0));
    const std::array<socket_address, 2> both{gone.local_address().value(),
                                             server.local_address().value()};
    gone.close();
    const result<tcp_stream> made =
        co_await tcp_stream::connect(std::span<const socket_address>(both));
    EXPECT_EQ(made.value().peer_address().value(), both[1]);
    const auto none = co_await tcp_stream::connect(std::span<const socket_address>(both).first(1));
    EXPECT_EQ(none.error(), std::errc::connection_refused);
    const auto nowhere =
        co_await tcp_stream::connect(std::span<const socket_address>(both).first(0));
    EXPECT_EQ(nowhere.error(), std::errc::destination_address_required);
}

TEST(TcpTest, TriesAddressesInTheirOrder) { test::run_test(several_addresses()); }

// A listener whose backlog is full leaves further connections unanswered.
task<> blackhole() {
    listen_options few;
    few.backlog = 1;
    tcp_listener server = tcp_listener::listen(socket_address::loopback_ipv4(0), few).value();
    const socket_address at = server.local_address().value();
    connect_options options;
    options.timeout = 20ms;
    std::vector<tcp_stream> held;
    result<tcp_stream> made = tcp_stream();
    for (int count = 0; made && count < 10; ++count) {
        made = co_await tcp_stream::connect(at, options);
        if (made) {
            held.push_back(std::move(*made));
            made = tcp_stream();
        }
    }
    EXPECT_EQ(made.error(), std::errc::timed_out);
}

TEST(TcpTest, AConnectThatTakesTooLongTimesOut) { test::run_test(blackhole()); }

task<> connect_into(socket_address to, result<tcp_stream>& out) {
    out = co_await tcp_stream::connect(to);
}

task<> stop_a_connect() {
    listen_options few;
    few.backlog = 1;
    tcp_listener server = tcp_listener::listen(socket_address::loopback_ipv4(0), few).value();
    const socket_address at = server.local_address().value();
    std::array<result<tcp_stream>, 6> all;
    stop_source source;
    scope s;
    for (result<tcp_stream>& one : all) {
        one = tcp_stream();
        s.spawn(with_stop(source, connect_into(at, one)));
    }
    co_await sleep_for(5ms);
    source.request_stop();
    co_await s.join();
    EXPECT_FALSE(all.back());
    EXPECT_EQ(all.back().error(), std::errc::operation_canceled);
}

TEST(TcpTest, AStoppedConnectEnds) { test::run_test(stop_a_connect()); }

task<> options() {
    tcp_listener server = listen_on(socket_address::loopback_ipv4(0));
    connection ends = co_await connect_to(server);
    const auto get = [&](int level, int option) {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(getsockopt(ends.client.native_handle(), level, option, &value, &size), 0);
        return value;
    };
    EXPECT_EQ(get(IPPROTO_TCP, TCP_NODELAY), 1) << "from the start";
    EXPECT_TRUE(ends.client.set_no_delay(false));
    EXPECT_EQ(get(IPPROTO_TCP, TCP_NODELAY), 0);
    keep_alive_options probes;
    probes.idle_s = 7;
    EXPECT_TRUE(ends.client.set_keep_alive(probes));
    EXPECT_EQ(get(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPIDLE), 7);
    EXPECT_TRUE(ends.client.set_keep_alive(std::nullopt));
    EXPECT_EQ(get(SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_TRUE(ends.client.set_receive_buffer(16'384));
    EXPECT_EQ(get(SOL_SOCKET, SO_RCVBUF), 32'768);
    EXPECT_TRUE(ends.client.set_send_buffer(16'384));
    EXPECT_EQ(get(SOL_SOCKET, SO_SNDBUF), 32'768);
    probes.idle_s = 0;
    EXPECT_EQ(ends.client.set_keep_alive(probes).error(), std::errc::invalid_argument);
}

TEST(TcpTest, OptionsReachTheSocket) { test::run_test(options()); }

task<> reset_by_peer() {
    tcp_listener server = listen_on(socket_address::loopback_ipv4(0));
    connection ends = co_await connect_to(server);
    EXPECT_TRUE(ends.server.set_reset_on_close());
    EXPECT_TRUE(co_await ends.server.close());
    std::array<std::byte, 4> into;
    EXPECT_EQ((co_await ends.client.read_some(into)).error(), std::errc::connection_reset);
    const result<received_buffer> after = co_await ends.client.receive();
    EXPECT_TRUE(after && !*after) << "the error is told once (recv(2))";
}

TEST(TcpTest, AResetIsAnErrorAndNotTheEnd) { test::run_test(reset_by_peer()); }

}  // namespace
}  // namespace weir
