#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/stop.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// A path for a socket, which is removed.
class socket_path {
  public:
    explicit socket_path(const char* name)
        : path_(std::filesystem::temp_directory_path() /
                (std::string(name) + "." + std::to_string(getpid()))) {
        std::filesystem::remove(path_);
    }
    socket_path(const socket_path&) = delete;
    socket_path& operator=(const socket_path&) = delete;
    ~socket_path() { std::filesystem::remove(path_); }
    [[nodiscard]] socket_address address() const {
        return socket_address::unix_path(path_.string()).value();
    }

  private:
    std::filesystem::path path_;
};

task<> greet(socket_address at) {
    unix_listener server = unix_listener::listen(at).value();
    unix_stream client = (co_await unix_stream::connect(at)).value();
    unix_stream peer = (co_await server.accept()).value();
    EXPECT_TRUE(co_await client.write_all(bytes_of("hello")));
    std::array<std::byte, 16> into;
    EXPECT_EQ((co_await peer.read_some(into)).value(), 5U);
    EXPECT_EQ(client.peer_address().value(), at);
    EXPECT_EQ(peer.local_address().value(), at);
    EXPECT_EQ(peer.credentials().value().process, getpid());
    EXPECT_EQ(peer.credentials().value().user, getuid());
}

TEST(UnixSocketTest, ConnectsByPathAndByName) {
    const socket_path path("weir-unix-test");
    test::run_test(greet(path.address()));
    test::run_test(
        greet(socket_address::unix_abstract("weir-unix-test." + std::to_string(getpid())).value()));
}

task<> nobody_listens() {
    const socket_path path("weir-unix-none");
    EXPECT_EQ((co_await unix_stream::connect(path.address())).error(),
              std::errc::no_such_file_or_directory);
}

TEST(UnixSocketTest, APathThatIsNotThereIsAnError) { test::run_test(nobody_listens()); }

task<> packets() {
    auto [left, right] = unix_packets::pair().value();
    EXPECT_TRUE(co_await left.send(bytes_of("one")));
    EXPECT_TRUE(co_await left.send(bytes_of("three")));
    std::array<std::byte, 4> into;
    EXPECT_EQ((co_await right.receive(into)).value(), 3U) << "borders are kept";
    EXPECT_EQ((co_await right.receive(into)).error(), std::errc::message_size);
    EXPECT_EQ((co_await left.send(std::span<const std::byte>())).error(),
              std::errc::invalid_argument);
    left = unix_packets();
    EXPECT_EQ((co_await right.receive(into)).value(), 0U);
    EXPECT_EQ((co_await right.send(bytes_of("x"))).error(), std::errc::broken_pipe);
}

TEST(UnixSocketTest, PacketsKeepTheirBorders) { test::run_test(packets()); }

task<> packets_by_path(socket_address at) {
    unix_packet_listener server = unix_packet_listener::listen(at).value();
    unix_packets client = (co_await unix_packets::connect(at)).value();
    unix_packets peer = (co_await server.accept()).value();
    EXPECT_TRUE(co_await client.send(bytes_of("hello")));
    std::array<std::byte, 16> into;
    EXPECT_EQ((co_await peer.receive(into)).value(), 5U);
}

TEST(UnixSocketTest, PacketsConnectByPath) {
    const socket_path path("weir-packets-test");
    test::run_test(packets_by_path(path.address()));
}

// ref: both outlive the task, in the one that joins it.
task<> receive_into(unix_packets& from, std::span<std::byte> into, result<std::size_t>& out) {
    out = co_await from.receive(into);
}

task<> stop_a_packet() {
    auto [left, right] = unix_packets::pair().value();
    std::array<std::byte, 4> into;
    result<std::size_t> out = 0;
    stop_source source;
    scope s;
    s.spawn(with_stop(source, receive_into(right, into, out)));
    co_await test::settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
}

TEST(UnixSocketTest, AStoppedReceiveEnds) { test::run_test(stop_a_packet()); }

}  // namespace
}  // namespace weir
