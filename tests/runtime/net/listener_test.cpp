#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/peers.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

tcp_listener listen_here(listen_options options = {}) {
    return tcp_listener::listen(socket_address::loopback_ipv4(0), options).value();
}

// With all that the kernel offers, and with single accepts.
class ListenerTest : public testing::TestWithParam<bool> {
  protected:
    void run(task<> body) {
        event_loop_options options;
        options.features.accept_multishot = GetParam();
        event_loop loop(options);
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
    }
};
INSTANTIATE_TEST_SUITE_P(Accepts, ListenerTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "Multishot" : "Single"; });

task<> accept_many(int connections) {
    tcp_listener server = listen_here();
    const socket_address at = server.local_address().value();
    std::vector<tcp_stream> clients;
    for (int count = 0; count < connections; ++count) {
        clients.push_back((co_await tcp_stream::connect(at)).value());
    }
    for (int count = 0; count < connections; ++count) {
        EXPECT_TRUE((co_await server.accept()).has_value());
    }
}

TEST_P(ListenerTest, AcceptsAllWhoCameMeanwhile) { run(accept_many(300)); }

task<> accept_one(tcp_listener& server, result<tcp_stream>& out) { out = co_await server.accept(); }

task<> accept_by_several() {
    tcp_listener server = listen_here();
    const socket_address at = server.local_address().value();
    std::array<result<tcp_stream>, 3> accepted;
    scope s;
    for (result<tcp_stream>& one : accepted) {
        s.spawn(accept_one(server, one));
    }
    std::vector<tcp_stream> clients;
    for (std::size_t count = 0; count < accepted.size(); ++count) {
        clients.push_back((co_await tcp_stream::connect(at)).value());
    }
    co_await s.join();
    for (const result<tcp_stream>& one : accepted) {
        EXPECT_TRUE(one && one->is_open());
    }
}

TEST_P(ListenerTest, SeveralTasksMayAccept) { run(accept_by_several()); }

task<> stop_an_accept() {
    tcp_listener server = listen_here();
    result<tcp_stream> out;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, accept_one(server, out)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    const auto client = co_await tcp_stream::connect(server.local_address().value());
    EXPECT_TRUE(client.has_value());
    EXPECT_TRUE((co_await server.accept()).has_value()) << "none is lost by a stop";
}

TEST_P(ListenerTest, AStoppedAcceptLosesNoConnection) { run(stop_an_accept()); }

task<> close_under_an_accept() {
    tcp_listener server = listen_here();
    const socket_address at = server.local_address().value();
    result<tcp_stream> out;
    scope s;
    s.spawn(accept_one(server, out));
    co_await test::settle();
    server.close();
    server.close();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
    EXPECT_EQ((co_await tcp_stream::connect(at)).error(), std::errc::connection_refused);
    EXPECT_EQ((co_await server.accept()).error(), std::errc::operation_canceled);
}

TEST_P(ListenerTest, AClosedListenerEndsWhoAcceptsAndRefuses) { run(close_under_an_accept()); }

task<> run_out_of_descriptors() {
    tcp_listener server = listen_here();
    const auto client = co_await tcp_stream::connect(server.local_address().value());
    EXPECT_TRUE(client.has_value());
    result<tcp_stream> out;
    scope s;
    {
        const test::no_more_descriptors limit;
        s.spawn(accept_one(server, out));
        while (server.pauses() < 2) {
            co_await sleep_for(1ms);
        }
        EXPECT_FALSE(out && out->is_open());
    }
    co_await s.join();
    EXPECT_TRUE(out && out->is_open()) << "goes on by itself";
}

TEST_P(ListenerTest, PausesWithoutDescriptorsAndGoesOn) { run(run_out_of_descriptors()); }

// As a service manager may hand it over.
task<> accept_from_a_nonblocking_socket() {
    tcp_listener made = listen_here();
    const socket_address at = made.local_address().value();
    file_descriptor handed(::fcntl(made.native_handle(), F_DUPFD_CLOEXEC, 0));
    EXPECT_EQ(::fcntl(handed.get(), F_SETFL, O_NONBLOCK), 0);
    tcp_listener server(std::move(handed));
    result<tcp_stream> out;
    scope s;
    s.spawn(accept_one(server, out));
    co_await test::settle();
    const std::uint64_t before = event_loop::current()->counters().sqes;
    co_await test::turns(10);
    EXPECT_LE(event_loop::current()->counters().sqes - before, 11U) << "it is not tried in vain";
    const auto client = co_await tcp_stream::connect(at);
    EXPECT_TRUE(client.has_value());
    co_await s.join();
    EXPECT_TRUE(out && out->is_open());
}

TEST_P(ListenerTest, ANonblockingSocketIsWaitedFor) { run(accept_from_a_nonblocking_socket()); }

task<> taken_address() {
    tcp_listener server = listen_here();
    const result<tcp_listener> second = tcp_listener::listen(server.local_address().value());
    EXPECT_EQ(second.error(), std::errc::address_in_use);
    listen_options none;
    none.backlog = 0;
    EXPECT_EQ(tcp_listener::listen(socket_address::loopback_ipv4(0), none).error(),
              std::errc::invalid_argument);
    co_return;
}

TEST_P(ListenerTest, ATakenAddressIsAnError) { run(taken_address()); }

task<> share_a_port() {
    listen_options shared;
    shared.reuse_port = true;
    tcp_listener first = listen_here(shared);
    EXPECT_TRUE(tcp_listener::listen(first.local_address().value(), shared).has_value());
    co_return;
}

TEST_P(ListenerTest, TwoMayShareAPort) { run(share_a_port()); }

task<> leave_with_connections_waiting() {
    tcp_listener server = listen_here();
    const socket_address at = server.local_address().value();
    auto first = co_await tcp_stream::connect(at);
    auto second = co_await tcp_stream::connect(at);
    EXPECT_TRUE((co_await server.accept()).has_value());
    server = tcp_listener();
    std::array<std::byte, 1> into;
    const auto end = co_await second->read_some(into);
    EXPECT_TRUE(!end || *end == 0) << "reset or closed";
}

TEST_P(ListenerTest, ConnectionsThatNobodyTookAreClosed) { run(leave_with_connections_waiting()); }

task<> no_socket() {
    tcp_listener none;
    EXPECT_EQ((co_await none.accept()).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(none.native_handle(), -1);
}

TEST_P(ListenerTest, OneWithoutASocketFails) { run(no_socket()); }

}  // namespace
}  // namespace weir
