// A service with a worker in it: each line that a client sends becomes a job, and its result the
// answer. The jobs are in Redis, so other services and workers on the same queue share the work,
// and what was accepted outlives this program where the server does.
//
// The first SIGINT or SIGTERM ends it in order: nobody is accepted and no line is read any more,
// the lines that were read are answered, and the worker hands back what it has not started. A
// second one does not wait for the answers.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <weir/redisq/jobs/metrics.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"
#include "server.hpp"

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

// What the connections share; it outlives them.
struct service {
    redisq::queue& jobs;
    weir::semaphore& places;
    weir::stop_source& ending;
};

// Ends with its connection, with a line that is too long, or when the service ends.
weir::task<> answer(service all, weir::tcp_stream peer, weir::semaphore::permit /*place*/) {
    weir::buffered_reader lines(peer);
    while (true) {
        const weir::result<std::string_view> line =
            co_await weir::with_stop(all.ending, lines.read_until("\n"));
        if (!line) {
            co_return;
        }
        std::string text(line->substr(0, line->find_first_of("\r\n")));
        const std::string reply = co_await run_job(all.jobs, std::move(text)) + "\n";
        const weir::result<void> written = co_await peer.write_all(std::as_bytes(std::span(reply)));
        if (!written) {
            co_return;
        }
    }
}

// ref: the scope outlives all that runs in it.
weir::task<> accept_all(weir::scope& connections, weir::tcp_listener listener, service all) {
    while (true) {
        weir::semaphore::permit place = co_await all.places.acquire();
        weir::tcp_stream peer = co_await example::accept(listener);
        connections.spawn(answer(all, std::move(peer), std::move(place)));
    }
}

// Only accepting is stopped when the service ends; the connections end by themselves.
// ref: as above.
weir::task<> serve_connections(weir::scope& connections, weir::tcp_listener listener, service all) {
    try {
        co_await weir::with_stop(all.ending, accept_all(connections, std::move(listener), all));
    } catch (const weir::canceled&) {
        if (!all.ending.stop_requested()) {
            throw;
        }
    }
}

// The worker ends when the last answer is written.
// ref: as above; the worker too.
weir::task<> run_beside_worker(weir::scope& background, redisq::worker& runner, settings chosen,
                               weir::tcp_listener listener, service all) {
    background.spawn(runner.run());
    if (chosen.metrics_port != 0) {
        redisq::metrics_options metrics;
        metrics.address =
            weir::socket_address::loopback_ipv4(static_cast<std::uint16_t>(chosen.metrics_port));
        background.spawn(redisq::serve_metrics(runner, metrics));
    }
    co_await weir::with_scope(serve_connections, std::move(listener), all);
    background.request_stop();
}

// ref: `ending` outlives the task.
weir::task<> serve(settings chosen, weir::stop_source& ending) {
    weir::tcp_listener listener = example::listen(chosen.port);
    redisq::client redis(chosen.url);
    redisq::value_or_throw(co_await redis.connect());
    redisq::queue jobs(redis, "lines");
    redisq::worker runner(chosen.url);
    runner.serve("lines").on(reversal, reverse);
    example::announce(listener);
    weir::semaphore places(chosen.connections);
    const service all{jobs, places, ending};
    co_await weir::with_scope(run_beside_worker, std::ref(runner), chosen, std::move(listener),
                              all);
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
    weir::stop_source ending;
    return example::run_until_signal("jobs_service", serve(chosen, ending),
                                     [&ending] { ending.request_stop(); });
}
