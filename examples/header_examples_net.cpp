// The examples in the comments of runtime/net/*.hpp, word for word, with what they need around
// them; the test "header examples" compares. Those that are more than a declaration are also run.
// clang-format off: the lines stand as in the comments.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <chrono>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <string_view>
#include <vector>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

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

void use(std::size_t size, const weir::socket_address& from) {
    report(std::to_string(size) + " bytes of " + from.to_string());
}

weir::task<> datagram_receiver_example() {
    weir::datagram_socket socket =
        weir::datagram_socket::bind(weir::socket_address::loopback_ipv4(0)).value();
    co_await socket.send_to(std::span<const std::byte>(), socket.local_address().value());
    weir::result<weir::datagram_receiver> opened = weir::datagram_receiver::open(socket);
    weir::datagram_receiver& in = opened.value();
    const weir::result<weir::received_datagram> first = co_await in.receive();
    if (first) { use(first->bytes().size(), first->from()); }
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

// ref: in each, what is named outlives the await.
template <weir::byte_stream Stream>
weir::task<weir::result<void>> greet(Stream& peer) {
    co_return co_await peer.write_all(std::as_bytes(std::span("hello", 5)));
}

weir::task<> echo(weir::tcp_stream peer) {
    std::array<std::byte, 4096> bytes;
    while (true) {
        const auto count = co_await peer.read_some(bytes);
        if (!count || *count == 0) { co_return; }
        const auto sent = co_await peer.write_all(std::span(bytes).first(*count));
        if (!sent) { co_return; }
    }
}

// ref: awaited at once.
weir::task<std::size_t> received_buffer_example(weir::tcp_stream& peer) {
    std::size_t count = 0;
    auto part = co_await peer.receive();
    while (part && *part) {
        count += part->bytes().size();
        part = co_await peer.receive();
    }
    co_return count;
}

// ref: the stream outlives the scope that runs this.
weir::task<> drain(weir::tcp_stream& peer) {
    const std::size_t count = co_await received_buffer_example(peer);
    report(std::to_string(count) + " arrived");
}

// ref: the listener outlives the scope that runs this.
weir::task<> listen_and_echo(weir::tcp_listener& server) {
    auto peer = co_await server.accept();
    co_await echo(std::move(peer.value()));
}

weir::task<> tcp_example() {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    weir::tcp_listener& server = listening.value();  // throws where the address is taken
    const weir::socket_address server_address = server.local_address().value();
    weir::scope tasks;
    tasks.spawn(listen_and_echo(server));
    weir::connect_options options;
    options.timeout = 2s;
    auto peer = co_await weir::tcp_stream::connect(server_address, options);
    if (!peer) { report(peer.error().message()); }
    const auto greeted = co_await greet(*peer);
    const auto half_closed = co_await peer->finish_writing();
    const std::size_t count = co_await received_buffer_example(*peer);
    report(greeted && half_closed ? std::to_string(count) : "nothing");
    co_await tasks.join();
}

// Sends this program.
weir::task<> send_file_example() {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    const weir::socket_address here = listening->local_address().value();
    auto client = co_await weir::tcp_stream::connect(here);
    weir::tcp_stream& peer = client.value();
    auto other_end = co_await listening->accept();
    const weir::result<weir::file> opened = co_await weir::file::open("/proc/self/exe");
    const weir::file& page = opened.value();
    weir::scope tasks;
    tasks.spawn(drain(*other_end));
    const weir::result<std::uint64_t> sent = co_await weir::send_file(peer, page);
    report(sent ? std::to_string(*sent) + " bytes" : sent.error().message());
    const auto half_closed = co_await peer.finish_writing();
    report(half_closed ? "all" : "not all");
    co_await tasks.join();
}

weir::task<> listener_example() {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    weir::tcp_listener& server = listening.value();  // throws where the address is taken
    const weir::socket_address here = server.local_address().value();
    auto client = co_await weir::tcp_stream::connect(here);
    auto peer = co_await server.accept();
    report(peer ? "accepted" : peer.error().message());
}

void unix_socket_example() {
    auto ends = weir::unix_stream::pair();
    auto& [left, right] = ends.value();
    report(left.is_open() && right.is_open() ? "a pair" : "none");
}

weir::task<> pair_example() {
    unix_socket_example();
    co_return;
}

}  // namespace

int main() {
    weir::run(tcp_example());
    weir::run(listener_example());
    weir::run(send_file_example());
    weir::run(pair_example());
    address_example();
    errors_example();
    weir::run(buffered_reader_example());
    weir::run(datagram_example());
    weir::run(datagram_receiver_example());
    weir::run(resolver_example());
}
