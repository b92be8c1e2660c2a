#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include <weir/runtime/net/address.hpp>

#include "support/io.hpp"

namespace weir {
namespace {

socket_address parsed(std::string_view text) {
    const result<socket_address> address = socket_address::parse(text);
    EXPECT_TRUE(address) << text;
    return address.value_or(socket_address());
}

std::error_code refusal(std::string_view text) {
    const result<socket_address> address = socket_address::parse(text);
    EXPECT_FALSE(address) << text;
    return address ? std::error_code() : address.error();
}

TEST(SocketAddressTest, ADefaultOneIsUnspecified) {
    const socket_address none;
    EXPECT_EQ(none.family(), address_family::unspecified);
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(none.port(), 0);
    EXPECT_TRUE(none.path().empty());
    EXPECT_EQ(none.to_string(), "unspecified");
    EXPECT_EQ(none.with_port(80), none);
}

TEST(SocketAddressTest, Ipv4IsReadFromText) {
    const socket_address address = parsed("1.2.3.4:80");
    EXPECT_EQ(address.family(), address_family::ipv4);
    EXPECT_EQ(address.port(), 80);
    EXPECT_EQ(address, socket_address::ipv4({1, 2, 3, 4}, 80));
    EXPECT_EQ(address.size(), sizeof(sockaddr_in));
    EXPECT_EQ(address.data()->sa_family, AF_INET);
}

TEST(SocketAddressTest, Ipv6IsReadFromText) {
    const socket_address address = parsed("[::1]:65535");
    EXPECT_EQ(address.family(), address_family::ipv6);
    EXPECT_EQ(address.port(), 65'535);
    EXPECT_EQ(address, socket_address::loopback_ipv6(65'535));
    EXPECT_EQ(parsed("[::]:0"), socket_address::any_ipv6(0));
}

TEST(SocketAddressTest, AScopeIsANumberOrAnInterface) {
    const unsigned loopback = if_nametoindex("lo");
    ASSERT_NE(loopback, 0U);
    const std::array<std::uint8_t, 16> link_local = {0xfe, 0x80, 0, 0, 0, 0, 0, 0,
                                                     0,    0,    0, 0, 0, 0, 0, 1};
    EXPECT_EQ(parsed("[fe80::1%lo]:80"), socket_address::ipv6(link_local, 80, loopback));
    EXPECT_EQ(parsed("[fe80::1%77777]:80"), socket_address::ipv6(link_local, 80, 77'777));
    EXPECT_EQ(parsed("[fe80::1%lo]:80").to_string(), "[fe80::1%lo]:80");
    EXPECT_EQ(parsed("[fe80::1%77777]:80").to_string(), "[fe80::1%77777]:80");
    EXPECT_NE(parsed("[fe80::1%lo]:80"), parsed("[fe80::1]:80"));
}

TEST(SocketAddressTest, UnixPathsAndAbstractNamesAreReadFromText) {
    const socket_address file = parsed("unix:/run/a.sock");
    EXPECT_EQ(file.family(), address_family::unix_domain);
    EXPECT_EQ(file.path(), "/run/a.sock");
    EXPECT_EQ(file.port(), 0);
    const socket_address name = parsed("unix:@a b");
    EXPECT_EQ(name.path(), std::string_view("\0a b", 4));
    EXPECT_EQ(name, socket_address::unix_abstract("a b"));
    EXPECT_NE(name, socket_address::unix_abstract("a"));
}

TEST(SocketAddressTest, WhatItPrintsItReads) {
    for (const std::string_view text :
         {"0.0.0.0:0", "255.255.255.255:65535", "[::]:0", "[2001:db8::ff00:42:8329]:443",
          "[::ffff:1.2.3.4]:5", "unix:/tmp/x", "unix:relative", "unix:@name"}) {
        EXPECT_EQ(parsed(text).to_string(), text);
    }
}

TEST(SocketAddressTest, APeersNameIsSafeInALog) {
    EXPECT_EQ(socket_address::unix_abstract(std::string_view("a\n\0\x7f\xff\\", 6))->to_string(),
              "unix:@a\\x0a\\x00\\x7f\\xff\\x5c");
}

TEST(SocketAddressTest, APathThatBeginsLikeAnAbstractNameIsPrintedAsAPath) {
    EXPECT_EQ(socket_address::unix_path("@x")->to_string(), "unix:./@x");
}

TEST(SocketAddressTest, TextThatIsNoAddressIsRefused) {
    using namespace std::string_view_literals;
    for (const std::string_view text : {""sv,
                                        ":"sv,
                                        ":80"sv,
                                        "localhost:80"sv,
                                        "1.2.3:80"sv,
                                        "1.2.3.4.5:80"sv,
                                        "1.2.3.256:80"sv,
                                        " 1.2.3.4:80"sv,
                                        "1.2.3.4 :80"sv,
                                        "1.2.3.4\0:80"sv,
                                        "::1"sv,
                                        "[::1"sv,
                                        "[]:80"sv,
                                        "[1.2.3.4]:80"sv,
                                        "[::1%]:80"sv,
                                        "[::1%0]:80"sv,
                                        "[::1%no-such-if]:80"sv,
                                        "[::1%an-interface-name-too-long]:80"sv,
                                        "[::1%lo\0]:80"sv,
                                        "[::1%99999999999]:80"sv,
                                        "unix:"sv,
                                        "unix:@"sv,
                                        "unix:a\0b"sv,
                                        "Unix:/a"sv}) {
        EXPECT_EQ(refusal(text), net_errc::bad_address) << text;
    }
    EXPECT_EQ(refusal(std::string(1'000, '1') + ":80"), net_errc::bad_address);
}

TEST(SocketAddressTest, APortIsAlwaysThereAndANumber) {
    for (const char* const text :
         {"1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:http",
          "1.2.3.4: 80", "1.2.3.4:80 ", "1.2.3.4:0x50", "1.2.3.4:99999999999", "1.2.3.4:000080",
          "1.2.3.4:80:80", "[::1]", "[::1]80", "[::1]:", "[::1]:70000"}) {
        EXPECT_EQ(refusal(text), net_errc::bad_port) << text;
    }
}

TEST(SocketAddressTest, AUnixPathHasALimit) {
    const std::string longest(socket_address::unix_path_max, 'p');
    EXPECT_EQ(socket_address::unix_path(longest)->path(), longest);
    EXPECT_EQ(socket_address::unix_path(longest)->size(), sizeof(sockaddr_un));
    EXPECT_EQ(socket_address::unix_path(longest + "p").error(), net_errc::path_too_long);
    EXPECT_EQ(socket_address::unix_abstract(longest)->path().size(), longest.size() + 1);
    EXPECT_EQ(socket_address::unix_abstract(longest + "p").error(), net_errc::path_too_long);
    EXPECT_EQ(refusal("unix:" + longest + "p"), net_errc::path_too_long);
    EXPECT_EQ(refusal("unix:@" + longest + "p"), net_errc::path_too_long);
}

TEST(SocketAddressTest, WellKnownAddressesHaveTheirText) {
    EXPECT_EQ(socket_address::any_ipv4(1).to_string(), "0.0.0.0:1");
    EXPECT_EQ(socket_address::any_ipv6(2).to_string(), "[::]:2");
    EXPECT_EQ(socket_address::loopback_ipv4(3).to_string(), "127.0.0.1:3");
    EXPECT_EQ(socket_address::loopback_ipv6(4).to_string(), "[::1]:4");
}

TEST(SocketAddressTest, WithPortChangesOnlyThePort) {
    EXPECT_EQ(parsed("1.2.3.4:80").with_port(81), parsed("1.2.3.4:81"));
    EXPECT_EQ(parsed("[fe80::1%1]:80").with_port(0), parsed("[fe80::1%1]:0"));
    EXPECT_EQ(parsed("unix:/a").with_port(7), parsed("unix:/a"));
}

TEST(SocketAddressTest, EqualAddressesHashAlike) {
    std::unordered_set<socket_address> seen;
    for (int round = 0; round < 2; ++round) {
        for (const char* const text : {"1.2.3.4:80", "1.2.3.4:81", "1.2.3.5:80", "[::1]:80",
                                       "[::2]:80", "[::1%3]:80", "unix:/a", "unix:@/a"}) {
            EXPECT_EQ(seen.insert(parsed(text)).second, round == 0) << text;
        }
    }
    EXPECT_EQ(seen.insert(socket_address()).second, true);
    EXPECT_EQ(seen.size(), 9U);
}

TEST(SocketAddressTest, PaddingAndFlowLabelsAreNotCompared) {
    const socket_address plain = parsed("[::1]:80");
    sockaddr_in6 raw{};
    std::memcpy(&raw, plain.data(), sizeof raw);
    raw.sin6_flowinfo = 5;
    const auto labelled =
        socket_address::from_raw(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
    EXPECT_EQ(labelled, plain);
    EXPECT_EQ(labelled.hash(), plain.hash());
}

TEST(SocketAddressTest, AUnixPathIsTheSameWithAndWithoutItsNul) {
    const socket_address path = parsed("unix:/a");
    const auto shorter = socket_address::from_raw(path.data(), path.size() - 1);
    EXPECT_EQ(shorter.path(), "/a");
    EXPECT_EQ(shorter, path);
    EXPECT_EQ(shorter.hash(), path.hash());
}

TEST(SocketAddressTest, ATruncatedAddressIsUnspecified) {
    const socket_address v4 = parsed("1.2.3.4:80");
    EXPECT_EQ(socket_address::from_raw(v4.data(), v4.size() - 1).family(),
              address_family::unspecified);
    const socket_address v6 = parsed("[::1]:80");
    EXPECT_EQ(socket_address::from_raw(v6.data(), v6.size() - 1).port(), 0);
    EXPECT_EQ(socket_address::from_raw(v6.data(), 1).to_string(), "unspecified");
    EXPECT_EQ(socket_address::from_raw(nullptr, 0), socket_address());
}

TEST(SocketAddressTest, ASizeBeyondTheCapacityIsCut) {
    socket_address address = parsed("unix:/a");
    address.set_size(socket_address::capacity() + 1);
    EXPECT_EQ(address.size(), socket_address::capacity());
    EXPECT_EQ(address.path(), "/a");
}

TEST(SocketAddressTest, TheKernelTakesAndGivesThem) {
    const test::descriptor fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const socket_address wanted = socket_address::loopback_ipv6(0);
    ASSERT_EQ(bind(fd.get(), wanted.data(), wanted.size()), 0);
    socket_address bound;
    socklen_t size = socket_address::capacity();
    ASSERT_EQ(getsockname(fd.get(), bound.data(), &size), 0);
    bound.set_size(size);
    EXPECT_NE(bound.port(), 0);
    EXPECT_EQ(bound.with_port(0), wanted);
}

TEST(SocketAddressTest, AUnixSocketWithoutANameHasNone) {
    const test::descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socket_address nameless;
    socklen_t size = socket_address::capacity();
    ASSERT_EQ(getsockname(fd.get(), nameless.data(), &size), 0);
    nameless.set_size(size);
    EXPECT_EQ(nameless.family(), address_family::unix_domain);
    EXPECT_TRUE(nameless.path().empty());
    EXPECT_EQ(nameless.to_string(), "unix:");
}

}  // namespace
}  // namespace weir
