// The examples in the comments of runtime/net/*.hpp, word for word, with what they need around
// them; the test "header examples" compares. Those that are more than a declaration are also run.
// clang-format off: the lines stand as in the comments.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/runtime.hpp>

namespace {

void report(const std::string& text) { std::puts(text.c_str()); }

void address_example() {
    const auto server = weir::socket_address::parse("[::1]:6379");
    const weir::socket_address here = weir::socket_address::loopback_ipv4(0);
    report(server ? server->to_string() : server.error().message());
    report(here.to_string());
}

// A stream in memory: what was written comes to be read.
class memory_stream {
  public:
    // ref: the span outlives the await
    weir::task<weir::result<std::size_t>> read_some(std::span<std::byte> into) {
        const std::size_t count = std::min(into.size(), bytes_.size());
        std::copy_n(bytes_.begin(), count, into.begin());
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
        co_return count;
    }

    // ref: the span outlives the await
    weir::task<weir::result<void>> write_all(std::span<const std::byte> from) {
        bytes_.insert(bytes_.end(), from.begin(), from.end());
        co_return weir::result<void>();
    }

  private:
    std::vector<std::byte> bytes_;
};

weir::task<> buffered_reader_example() {
    const std::string_view text = "hello\r\nfour";
    memory_stream peer;
    co_await peer.write_all(std::as_bytes(std::span(text)));
    weir::buffered_reader in(peer);
    const weir::result<std::string_view> greeting = co_await in.read_until("\r\n");
    report(std::string(greeting.value()));
    std::array<std::byte, 4> header{};
    const weir::result<void> whole = co_await in.read_exactly(header);
    const weir::result<std::uint64_t> echoed = co_await weir::copy(peer, peer);
    report(whole && echoed ? "all" : "not all");
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

weir::task<> resolver_example() {
    const weir::result<std::vector<weir::socket_address>> found =
        co_await weir::resolve("localhost", 6379);
    if (found) { report(found->front().to_string()); }
}

}  // namespace

int main() {
    address_example();
    errors_example();
    weir::run(buffered_reader_example());
    weir::run(datagram_example());
    weir::run(resolver_example());
}
