// A service with a worker in it: each line that a client sends becomes a job, and its result the
// answer. The jobs are in Redis, so other services and workers on the same queue share the work,
// and what was accepted outlives this program where the server does.
//
// SIGINT and SIGTERM end it in order: the worker hands back what it has not started.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <weir/redisq/jobs/metrics.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime.hpp>

#include "command_line.hpp"

namespace {

namespace redisq = weir::redisq;

struct settings {
    std::uint64_t port = 7008;
    std::uint64_t connections = 1'000;
    std::uint64_t metrics_port = 0;
    std::string url = "embedded://";
};

const redisq::job_type<std::string, std::string, redisq::raw_payload> reversal("reversal");

std::string reverse(std::string text) {
    if (text.empty()) {
        throw redisq::give_up("an empty line");
    }
    std::ranges::reverse(text);
    return text;
}

// ref: the queue outlives the connections.
weir::task<std::string> run_job(redisq::queue& jobs, std::string text) {
    redisq::submit_options options;
    options.keep_result();
    try {
        auto job = co_await jobs.submit(options, reversal, std::move(text));
        co_return co_await job.result(std::chrono::seconds(30));
    } catch (const redisq::exception& error) {
        co_return "error: " + std::string(error.what());
    }
}

// Ends with its connection, with a line that is too long, or when the task is stopped.
// ref: as above.
weir::task<> answer(redisq::queue& jobs, weir::tcp_stream peer, weir::semaphore::permit /*place*/) {
    weir::buffered_reader lines(peer);
    while (true) {
        const weir::result<std::string_view> line = co_await lines.read_until("\n");
        if (!line) {
            co_return;
        }
        std::string text(line->substr(0, line->find_first_of("\r\n")));
        const std::string reply = co_await run_job(jobs, std::move(text)) + "\n";
        const weir::result<void> written = co_await peer.write_all(std::as_bytes(std::span(reply)));
        if (!written) {
            co_return;
        }
    }
}

// ref: all outlive the scope.
weir::task<> accept_all(weir::scope& tasks, weir::tcp_listener listener, redisq::queue& jobs,
                        weir::semaphore& places, redisq::worker& runner,
                        std::uint16_t metrics_port) {
    tasks.spawn(runner.run());
    if (metrics_port != 0) {
        redisq::metrics_options metrics;
        metrics.address = weir::socket_address::loopback_ipv4(metrics_port);
        tasks.spawn(redisq::serve_metrics(runner, metrics));
    }
    while (true) {
        weir::semaphore::permit place = co_await places.acquire();
        weir::result<weir::tcp_stream> peer = co_await listener.accept();
        if (!peer && peer.error() == std::errc::operation_canceled) {
            throw weir::canceled();
        }
        if (!peer) {
            throw std::system_error(peer.error(), "accept");
        }
        tasks.spawn(answer(jobs, std::move(*peer), std::move(place)));
    }
}

weir::task<> serve(settings chosen) {
    const auto port = static_cast<std::uint16_t>(chosen.port);
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(port));
    if (!listening) {
        throw std::system_error(listening.error(), "port " + std::to_string(port));
    }
    redisq::client redis(chosen.url);
    redisq::value_or_throw(co_await redis.connect());
    redisq::queue jobs(redis, "lines");
    redisq::worker runner(chosen.url);
    runner.serve("lines").on(reversal, reverse);
    std::printf("listening on %s\n", listening->local_address()->to_string().c_str());
    std::fflush(stdout);
    weir::semaphore places(chosen.connections);
    co_await weir::with_scope(accept_all, std::move(*listening), std::ref(jobs), std::ref(places),
                              std::ref(runner), static_cast<std::uint16_t>(chosen.metrics_port));
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    example::command_line line("jobs_service", "Reverses lines, by jobs, on 127.0.0.1.");
    line.number("--port", chosen.port, 0, 65'535, "to listen on; 0: a free one");
    line.number("--connections", chosen.connections, 1, 1'000'000, "at a time");
    line.number("--metrics-port", chosen.metrics_port, 0, 65'535,
                "of /metrics for Prometheus; 0: none");
    line.text("--url", chosen.url, "of Redis; embedded://, the default: a private one");
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
        std::fprintf(stderr, "jobs_service: %s\n", error.what());
        return 1;
    }
}
