// A TCP proxy: what comes in on --port goes to --to and back, both directions at once.
//
// A peer that ends its half is passed on (half close): the other direction goes on until it ends as
// well. A direction reads no further while what it has read is not written, so a slow reader slows
// the sender on the far side down, and a connection takes two buffers of 16 KiB, whatever passes.
// Where one side breaks, the other is reset, so that nobody takes half a message for a whole one.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"
#include "server.hpp"

namespace {

struct settings {
    std::uint64_t port = 7008;
    std::uint64_t connections = 1'000;
    std::uint64_t connect_ms = 5'000;
    weir::socket_address target;
};

constexpr std::size_t buffer_size = 16'384;

// Closing it will send a reset.
void break_off(weir::tcp_stream& peer) {
    if (const weir::result<void> set = peer.set_reset_on_close(); !set) {
        std::fprintf(stderr, "tcp_proxy: SO_LINGER: %s\n", set.error().message().c_str());
    }
}

// ref: both streams outlive the task
weir::task<> forward(weir::tcp_stream& from, weir::tcp_stream& to) {
    const weir::result<std::uint64_t> copied = co_await weir::copy(from, to, buffer_size);
    if (!copied) {
        throw std::system_error(copied.error(), "forward");  // when_all stops the other direction
    }
    const weir::result<void> ended = co_await to.finish_writing();
    if (!ended) {
        throw std::system_error(ended.error(), "forward");
    }
}

weir::task<> proxy(weir::tcp_stream client, weir::semaphore::permit /*place*/, settings chosen) {
    weir::connect_options options;
    options.timeout = std::chrono::milliseconds(chosen.connect_ms);
    weir::result<weir::tcp_stream> server =
        co_await weir::tcp_stream::connect(chosen.target, options);
    if (!server && server.error() == std::errc::operation_canceled) {
        co_return;
    }
    if (!server) {
        std::fprintf(stderr, "tcp_proxy: %s: %s\n", chosen.target.to_string().c_str(),
                     server.error().message().c_str());
        break_off(client);
        co_return;
    }
    try {
        co_await weir::when_all(forward(client, *server), forward(*server, client));
    } catch (const std::system_error&) {
        break_off(client);
        break_off(*server);
    }
}

// The listener lives in here: where this ends, new connections are refused.
weir::task<> accept_all(weir::scope& connections, weir::tcp_listener listener,
                        weir::semaphore& places, settings chosen) {
    while (true) {
        weir::semaphore::permit place = co_await places.acquire();
        weir::tcp_stream client = co_await example::accept(listener);
        connections.spawn(proxy(std::move(client), std::move(place), chosen));
    }
}

weir::task<> serve(settings chosen) {
    weir::tcp_listener listener = example::listen(chosen.port);
    example::announce(listener);
    weir::semaphore places(chosen.connections);
    co_await weir::with_scope(accept_all, std::move(listener), std::ref(places), chosen);
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("tcp_proxy",
                               "Forwards connections to 127.0.0.1 to another address.");
    line.number("--port", chosen.port, 0, 65'535, "to listen on; 0: a free one");
    line.address("--to", chosen.target, "where they go");
    line.number("--connections", chosen.connections, 1, 1'000'000, "at a time");
    line.number("--connect-ms", chosen.connect_ms, 1, 600'000, "to wait for the other address");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("tcp_proxy", serve(chosen));
}
