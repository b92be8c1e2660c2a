// A TCP echo server: one task a connection, at most --connections of them at a time; who comes
// after that is connected, and served when somebody has left.
//
// SIGINT and SIGTERM end it in order: nobody is accepted any more, and each connection ends where
// it waits for bytes, with all that it has echoed on the way to its peer.
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <weir/runtime.hpp>

#include "command_line.hpp"

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
        weir::result<weir::tcp_stream> peer = co_await listener.accept();
        if (!peer && peer.error() == std::errc::operation_canceled) {
            throw weir::canceled();
        }
        if (!peer) {
            throw std::system_error(peer.error(), "accept");
        }
        connections.spawn(echo(std::move(*peer), std::move(place)));
    }
}

weir::task<> serve(settings chosen) {
    const auto port = static_cast<std::uint16_t>(chosen.port);
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(port));
    if (!listening) {
        throw std::system_error(listening.error(), "port " + std::to_string(port));
    }
    std::printf("listening on %s\n", listening->local_address()->to_string().c_str());
    std::fflush(stdout);
    weir::semaphore places(chosen.connections);  // outlives the connections that hold some
    co_await weir::with_scope(accept_all, std::move(*listening), std::ref(places));
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
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    try {
        weir::run(serve(chosen), options);
    } catch (const weir::canceled&) {
        std::puts("stopped");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo_server: %s\n", error.what());
        return 1;
    }
}
