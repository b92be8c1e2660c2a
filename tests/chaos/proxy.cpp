// A TCP proxy before the server's Unix socket that cuts connections after a chosen byte: most of
// them, in one direction, some within the greeting, by a close or by a reset. What it chooses
// follows from its seed and the number of the connection.
#include <array>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/when_all.hpp>

#include "actors.hpp"

namespace chaos {
namespace {

constexpr std::uint64_t never = UINT64_MAX;
constexpr double greeting_bytes_log2 = 8;
constexpr double longest_log2 = 20;

struct cut_plan {
    std::uint64_t to_server = never;
    std::uint64_t to_client = never;
    bool reset = false;
};

struct cut : std::runtime_error {
    cut() : std::runtime_error("cut") {}
};

cut_plan plan_of(std::uint64_t seed, std::uint64_t connection) {
    std::mt19937_64 random(seed * 1'000'003 + connection);
    std::uniform_real_distribution<double> share(0, 1);
    cut_plan plan;
    const double kind = share(random);
    const double within = share(random);
    plan.reset = share(random) < 0.5;
    const bool to_server = share(random) < 0.5;
    if (kind < 0.1) {
        return plan;  // lives on
    }
    const double from = kind < 0.3 ? 0 : greeting_bytes_log2;
    const double to = kind < 0.3 ? greeting_bytes_log2 : longest_log2;
    const auto bytes = static_cast<std::uint64_t>(std::exp2(from + (to - from) * within));
    (to_server ? plan.to_server : plan.to_client) = bytes;
    return plan;
}

// ref: both streams outlive the task.
template <class From, class To>
weir::task<> pump(From& from, To& to, std::uint64_t bytes) {
    std::array<std::byte, 16'384> buffer;
    for (;;) {
        const auto count = co_await from.read_some(buffer);
        if (!count || *count == 0) {
            throw cut();
        }
        const std::size_t passed = bytes < *count ? static_cast<std::size_t>(bytes) : *count;
        const auto sent = co_await to.write_all(std::span(buffer).first(passed));
        if (!sent) {
            throw cut();
        }
        if (bytes == never) {
            continue;
        }
        bytes -= passed;
        if (bytes == 0) {
            static_cast<void>(co_await to.flush());
            throw cut();
        }
    }
}

weir::task<> pass(weir::tcp_stream client, weir::socket_address server, cut_plan plan) {
    auto upstream = co_await weir::unix_stream::connect(server);
    if (!upstream) {
        static_cast<void>(client.set_reset_on_close());
        co_return;
    }
    try {
        co_await weir::when_all(pump(client, *upstream, plan.to_server),
                                pump(*upstream, client, plan.to_client));
    } catch (const cut&) {
        if (plan.reset) {
            static_cast<void>(client.set_reset_on_close());
        }
    }
}

weir::task<> accept_all(weir::scope& connections, weir::tcp_listener listener,
                        weir::socket_address server, std::uint64_t seed) {
    for (std::uint64_t number = 0;; ++number) {
        auto client = co_await listener.accept();
        if (!client) {
            throw weir::canceled();
        }
        connections.spawn(pass(std::move(*client), server, plan_of(seed, number)));
    }
}

weir::task<> serve(weir::socket_address server, std::uint64_t seed) {
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(0));
    if (!listening) {
        throw std::system_error(listening.error(), "listen");
    }
    std::printf("%u\n", static_cast<unsigned>(listening->local_address().value().port()));
    std::fflush(stdout);
    co_await weir::with_scope(accept_all, std::move(*listening), server, seed);
}

}  // namespace

int run_proxy(const settings& chosen) {
    const weir::socket_address server =
        weir::socket_address::unix_path(chosen.text("socket")).value();
    weir::run_options options;
    options.stop_signals = {SIGTERM, SIGINT};
    try {
        weir::run(serve(server, static_cast<std::uint64_t>(chosen.number("seed"))), options);
    } catch (const weir::canceled&) {
        return 0;
    }
    return 0;
}

}  // namespace chaos
