// The examples in the comments of runtime/net/*.hpp, word for word, with what they need around
// them; the test "header examples" compares. Those that are more than a declaration are also run.
// clang-format off: the lines stand as in the comments.
#include <cstdio>
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

void errors_example() {
    const weir::result<weir::socket_address> peer = weir::socket_address::parse("10.0.0.1:80");
    if (!peer && peer.error() == weir::net_errc::bad_port) { report(peer.error().message()); }
}

}  // namespace

int main() {
    address_example();
    errors_example();
}
