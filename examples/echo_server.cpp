// A TCP echo server: one task a connection, at most --connections of them at a time; who comes
// after that is connected, and served when somebody has left.
//
// SIGINT and SIGTERM end it in order: nobody is accepted any more, and each connection ends where
// it waits for bytes, with all that it has echoed on the way to its peer.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"
#include "server.hpp"

namespace {

struct settings {
    std::uint64_t port = 7007;
    std::uint64_t connections = 1'000;
};

// Ends with its connection, or when the task is stopped; gives its place back then. The bytes stand
// in the task's own frame, so peers that do not read what they get take nothing from others.
weir::task<> echo(weir::tcp_stream peer, weir::semaphore::permit /*place*/) {
    std::array<std::byte, 4'096> bytes;
    while (true) {
        const weir::result<std::size_t> count = co_await peer.read_some(bytes);
        if (!count || *count == 0) {
            co_return;
        }
        const weir::result<void> written = co_await peer.write_all(std::span(bytes).first(*count));
        if (!written) {
            co_return;
        }
    }
}

// The listener lives in here: where this ends, new connections are refused, though those in the
// scope may still run.
weir::task<> accept_all(weir::scope& connections, weir::tcp_listener listener,
                        weir::semaphore& places) {
    while (true) {
        weir::semaphore::permit place = co_await places.acquire();
        weir::tcp_stream peer = co_await example::accept(listener);
        connections.spawn(echo(std::move(peer), std::move(place)));
    }
}

weir::task<> serve(settings chosen) {
    weir::tcp_listener listener = example::listen(chosen.port);
    example::announce(listener);
    weir::semaphore places(chosen.connections);  // outlives the connections that hold some
    co_await weir::with_scope(accept_all, std::move(listener), std::ref(places));
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("echo_server", "A TCP echo server on 127.0.0.1.");
    line.number("--port", chosen.port, 0, 65'535, "to listen on; 0: a free one");
    line.number("--connections", chosen.connections, 1, 1'000'000, "at a time");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("echo_server", serve(chosen));
}
