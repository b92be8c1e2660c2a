#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/net/datagram.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

const std::span<const std::byte> nothing;

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

datagram_socket bound(const socket_address& where, const datagram_options& options = {}) {
    return datagram_socket::bind(where, options).value();
}

// ref: the test outlives its tasks
task<std::string> received(datagram_socket& socket, std::size_t size_max = 100) {
    std::vector<std::byte> into(size_max);
    const result<datagram> got = co_await socket.receive(into);
    if (!got) {
        co_return got.error().message();
    }
    co_return text_of(std::span(into).first(got->size)) + (got->truncated ? "..." : "");
}

class DatagramFamilyTest : public testing::TestWithParam<socket_address> {};

task<> exchange(socket_address any) {
    datagram_socket left = bound(any);
    datagram_socket right = bound(any);
    const socket_address right_address = right.local_address().value();
    EXPECT_NE(right_address.port(), 0);
    const std::string question = "question";
    const result<void> asked = co_await left.send_to(bytes_of(question), right_address);
    EXPECT_TRUE(asked) << asked.error().message();
    std::array<std::byte, 100> into{};
    const result<datagram> got = co_await right.receive(into);
    EXPECT_TRUE(got) << got.error().message();
    EXPECT_EQ(text_of(std::span(into).first(got->size)), question);
    EXPECT_FALSE(got->truncated);
    EXPECT_EQ(got->from, left.local_address());
    const std::string answer = "answer";
    const result<void> answered = co_await right.send_to(bytes_of(answer), got->from);
    EXPECT_TRUE(answered);
    EXPECT_EQ(co_await received(left), answer);
}

TEST_P(DatagramFamilyTest, ADatagramTellsWhoSentIt) { test::run_test(exchange(GetParam())); }

task<> connected(socket_address any) {
    datagram_socket server = bound(any);
    datagram_socket client = datagram_socket::open(any.family()).value();
    EXPECT_EQ(client.peer_address().error(), std::errc::not_connected);
    EXPECT_TRUE(client.connect(server.local_address().value()));
    EXPECT_EQ(client.peer_address(), server.local_address());
    const std::string text = "hello";
    EXPECT_TRUE(co_await client.send(bytes_of(text)));
    EXPECT_EQ(co_await received(server), text);
}

TEST_P(DatagramFamilyTest, AConnectedSocketSendsToItsPeer) {
    test::run_test(connected(GetParam()));
}

task<> empty_and_whole(socket_address any) {
    datagram_socket server = bound(any);
    datagram_socket client = datagram_socket::open(any.family()).value();
    EXPECT_TRUE(client.connect(server.local_address().value()));
    EXPECT_TRUE(co_await client.send(nothing));
    EXPECT_TRUE(co_await client.send_to(nothing, server.local_address().value()));
    EXPECT_TRUE(co_await client.send_vectored(std::span<const iovec>()));
    const std::string text = "abc";
    EXPECT_TRUE(co_await client.send(bytes_of(text)));
    EXPECT_EQ(co_await received(server), "");
    EXPECT_EQ(co_await received(server), "");
    EXPECT_EQ(co_await received(server), "");
    EXPECT_EQ(co_await received(server), text) << "datagrams do not flow together";
}

TEST_P(DatagramFamilyTest, ADatagramMayHaveNoBytes) { test::run_test(empty_and_whole(GetParam())); }

task<> truncated(socket_address any) {
    datagram_socket server = bound(any);
    datagram_socket client = datagram_socket::open(any.family()).value();
    const std::string text = "abcdef";
    const socket_address to = server.local_address().value();
    for (int round = 0; round < 4; ++round) {
        EXPECT_TRUE(co_await client.send_to(bytes_of(text), to));
    }
    EXPECT_EQ(co_await received(server, 6), "abcdef");
    EXPECT_EQ(co_await received(server, 5), "abcde...");
    EXPECT_EQ(co_await received(server, 0), "...");
    EXPECT_EQ(co_await received(server, 7), "abcdef") << "the rest of the others is gone";
}

TEST_P(DatagramFamilyTest, WhatDoesNotFitIsReportedAndLost) {
    test::run_test(truncated(GetParam()));
}

iovec piece(std::string_view text) {
    return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

task<> vectored(socket_address any) {
    datagram_socket server = bound(any);
    datagram_socket client = datagram_socket::open(any.family()).value();
    const std::array pieces{piece("one "), piece(""), piece("datagram")};
    const socket_address to = server.local_address().value();
    EXPECT_TRUE(co_await client.send_vectored_to(pieces, to));
    EXPECT_EQ(co_await received(server), "one datagram");
    EXPECT_TRUE(client.connect(to));
    EXPECT_TRUE(co_await client.send_vectored(std::span(pieces).first(1)));
    EXPECT_EQ(co_await received(server), "one ");
}

TEST_P(DatagramFamilyTest, PiecesBecomeOneDatagram) { test::run_test(vectored(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Internet, DatagramFamilyTest,
                         testing::Values(socket_address::loopback_ipv4(0),
                                         socket_address::loopback_ipv6(0)));

task<> unix_by_path(std::filesystem::path folder) {
    const socket_address left_name = socket_address::unix_path((folder / "l").string()).value();
    const socket_address right_name = socket_address::unix_path((folder / "r").string()).value();
    datagram_socket left = bound(left_name);
    datagram_socket right = bound(right_name);
    EXPECT_EQ(left.local_address(), left_name);
    EXPECT_EQ(datagram_socket::bind(left_name).error(), std::errc::address_in_use);
    const std::string text = "by path";
    EXPECT_TRUE(co_await left.send_to(bytes_of(text), right_name));
    std::array<std::byte, 3> into{};
    const result<datagram> got = co_await right.receive(into);
    EXPECT_EQ(got->from, left_name);
    EXPECT_EQ(got->size, 3U);
    EXPECT_TRUE(got->truncated);
}

TEST(DatagramSocketTest, UnixDatagramsGoByPath) {
    std::string name = "/tmp/weir_datagram_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    test::run_test(unix_by_path(name));
    std::filesystem::remove_all(name);
}

task<> unix_by_name() {
    const std::string name = "weir-datagram-test-" + std::to_string(getpid());
    const socket_address to = socket_address::unix_abstract(name).value();
    datagram_socket server = bound(to);
    datagram_socket nameless = datagram_socket::open(address_family::unix_domain).value();
    const std::string text = "who am I";
    EXPECT_TRUE(co_await nameless.send_to(bytes_of(text), to));
    std::array<std::byte, 100> into{};
    const result<datagram> got = co_await server.receive(into);
    EXPECT_EQ(got->size, text.size());
    EXPECT_EQ(got->from.family(), address_family::unspecified);
    EXPECT_FALSE(got->truncated);
}

TEST(DatagramSocketTest, ASenderWithoutANameIsUnspecified) { test::run_test(unix_by_name()); }

// ref: the test outlives its tasks
task<> receive_into(datagram_socket& socket, std::string& out) { out = co_await received(socket); }

task<> waits() {
    datagram_socket server = bound(socket_address::loopback_ipv4(0));
    datagram_socket client = datagram_socket::open(address_family::ipv4).value();
    std::string first;
    std::string second;
    scope s;
    s.spawn(receive_into(server, first));
    s.spawn(receive_into(server, second));
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U) << "both wait";
    const socket_address to = server.local_address().value();
    const std::string text = "x";
    EXPECT_TRUE(co_await client.send_to(bytes_of(text), to));
    EXPECT_TRUE(co_await client.send_to(bytes_of(text), to));
    co_await s.join();
    EXPECT_EQ(first + second, "xx") << "each got one";
}

TEST(DatagramSocketTest, ReceiversWaitForADatagramEach) { test::run_test(waits()); }

task<> stopped() {
    datagram_socket server = bound(socket_address::loopback_ipv4(0));
    std::string text;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, receive_into(server, text)));
    co_await test::settle();
    EXPECT_EQ(text, "");
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(text, std::make_error_code(std::errc::operation_canceled).message());
    datagram_socket client = datagram_socket::open(address_family::ipv4).value();
    const std::string late = "late";
    EXPECT_TRUE(co_await client.send_to(bytes_of(late), server.local_address().value()));
    EXPECT_EQ(co_await received(server), late) << "the stopped one has taken nothing";
}

TEST(DatagramSocketTest, AStopEndsAReceive) { test::run_test(stopped()); }

task<> nobody_there() {
    datagram_socket client = datagram_socket::open(address_family::ipv4).value();
    {
        datagram_socket gone = bound(socket_address::loopback_ipv4(0));
        EXPECT_TRUE(client.connect(gone.local_address().value()));
    }
    const std::string text = "anybody?";
    EXPECT_TRUE(co_await client.send(bytes_of(text)));
    EXPECT_EQ(co_await received(client),
              std::make_error_code(std::errc::connection_refused).message());
}

TEST(DatagramSocketTest, AnErrorOfThePeersHostIsReturnedByTheNextCall) {
    test::run_test(nobody_there());
}

task<> too_long() {
    datagram_socket server = bound(socket_address::loopback_ipv4(0));
    datagram_socket client = datagram_socket::open(address_family::ipv4).value();
    const std::string longest(65'507, 'x');
    const socket_address to = server.local_address().value();
    EXPECT_TRUE(co_await client.send_to(bytes_of(longest), to));
    EXPECT_EQ(co_await received(server, longest.size()), longest);
    const std::string longer = longest + "x";
    const result<void> refused = co_await client.send_to(bytes_of(longer), to);
    EXPECT_EQ(refused.error(), std::errc::message_size);
    const std::string text = "x";
    const result<void> unaddressed = co_await client.send(bytes_of(text));
    EXPECT_EQ(unaddressed.error(), std::errc::destination_address_required);
}

TEST(DatagramSocketTest, ADatagramThatIsTooLongIsRefused) { test::run_test(too_long()); }

int option(const datagram_socket& socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(socket.fd(), level, name, &value, &size), 0);
    return value;
}

TEST(DatagramSocketTest, OptionsReachTheKernel) {
    datagram_options options;
    options.reuse_address = true;
    options.reuse_port = true;
    options.broadcast = true;
    options.receive_buffer_size = 8'192;
    options.send_buffer_size = 16'384;
    options.hops = 7;
    options.ipv6_only = true;
    const datagram_socket v4 = datagram_socket::open(address_family::ipv4, options).value();
    EXPECT_EQ(option(v4, SOL_SOCKET, SO_REUSEADDR), 1);
    EXPECT_EQ(option(v4, SOL_SOCKET, SO_REUSEPORT), 1);
    EXPECT_EQ(option(v4, SOL_SOCKET, SO_BROADCAST), 1);
    EXPECT_EQ(option(v4, IPPROTO_IP, IP_TTL), 7);
    EXPECT_EQ(v4.receive_buffer_size(), 16'384U) << "the kernel doubles it";
    EXPECT_EQ(v4.send_buffer_size(), 32'768U);
    const datagram_socket v6 = datagram_socket::open(address_family::ipv6, options).value();
    EXPECT_EQ(option(v6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 7);
    EXPECT_EQ(option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST(DatagramSocketTest, WithoutOptionsTheSystemsDefaultsStay) {
    const datagram_socket v4 = datagram_socket::open(address_family::ipv4).value();
    EXPECT_EQ(option(v4, SOL_SOCKET, SO_REUSEADDR), 0);
    EXPECT_EQ(option(v4, SOL_SOCKET, SO_BROADCAST), 0);
    const test::descriptor plain(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int size = 0;
    socklen_t length = sizeof size;
    ASSERT_EQ(getsockopt(plain.get(), SOL_SOCKET, SO_RCVBUF, &size, &length), 0);
    EXPECT_EQ(v4.receive_buffer_size(), static_cast<std::size_t>(size));
    const datagram_socket v6 = datagram_socket::open(address_family::ipv6).value();
    EXPECT_EQ(option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 0);
}

TEST(DatagramSocketTest, WhatTheKernelRefusesIsAnErrorAndLeaksNothing) {
    const std::size_t before = test::open_descriptors();
    datagram_options options;
    options.hops = 256;
    EXPECT_EQ(datagram_socket::open(address_family::ipv4, options).error(),
              std::errc::invalid_argument);
    EXPECT_EQ(datagram_socket::open(address_family::unspecified).error(),
              std::errc::address_family_not_supported);
    EXPECT_EQ(datagram_socket::bind(socket_address()).error(),
              std::errc::address_family_not_supported);
    EXPECT_EQ(datagram_socket::bind(socket_address::ipv4({192, 0, 2, 1}, 0)).error(),
              std::errc::address_not_available);
    EXPECT_EQ(test::open_descriptors(), before);
}

task<> use_closed() {
    datagram_socket socket = bound(socket_address::loopback_ipv4(0));
    EXPECT_TRUE(socket.is_open());
    socket.close();
    socket.close();
    EXPECT_FALSE(socket.is_open());
    const std::string bad = std::make_error_code(std::errc::bad_file_descriptor).message();
    EXPECT_EQ(co_await received(socket), bad);
    const result<void> sent = co_await socket.send(nothing);
    EXPECT_EQ(sent.error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(socket.local_address().error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(socket.connect(socket_address()).error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(socket.receive_buffer_size().error(), std::errc::bad_file_descriptor);
}

TEST(DatagramSocketTest, AClosedSocketRefusesItsCalls) { test::run_test(use_closed()); }

TEST(DatagramSocketTest, AMovedSocketLeavesAClosedOne) {
    datagram_socket first = bound(socket_address::loopback_ipv4(0));
    const int fd = first.fd();
    const datagram_socket second = std::move(first);
    EXPECT_EQ(second.fd(), fd);
    EXPECT_EQ(first.fd(), -1);
}

}  // namespace
}  // namespace weir
