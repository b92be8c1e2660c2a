// The examples in the comments of runtime/net/*.hpp, word for word, with what they need around
// them; the test "header examples" compares. Those that are more than a declaration are also run.
// clang-format off: the lines stand as in the comments.
#include <array>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <weir/runtime.hpp>

namespace {

void report(const std::string& text) { std::puts(text.c_str()); }

void address_example() {
    const auto server = weir::socket_address::parse("[::1]:6379");
    const weir::socket_address here = weir::socket_address::loopback_ipv4(0);
    report(server ? server->to_string() : server.error().message());
    report(here.to_string());
}

// Asks an echo server on this host, which is the socket itself.
weir::task<> datagram_example() {
    const std::array<std::byte, 2> question{std::byte{'h'}, std::byte{'i'}};
    weir::result<weir::datagram_socket> bound =
        weir::datagram_socket::bind(weir::socket_address::loopback_ipv4(0));
    const weir::socket_address server = bound->local_address().value();
    weir::datagram_socket& socket = bound.value();
    const weir::result<void> sent = co_await socket.send_to(question, server);
    std::array<std::byte, 1'500> answer{};
    const weir::result<weir::datagram> got = co_await socket.receive(answer);
    report(sent && got ? got->from.to_string() : "nothing");
}

void errors_example() {
    const weir::result<weir::socket_address> peer = weir::socket_address::parse("10.0.0.1:80");
    if (!peer && peer.error() == weir::net_errc::bad_port) { report(peer.error().message()); }
}

}  // namespace

int main() {
    address_example();
    errors_example();
    weir::run(datagram_example());
}
