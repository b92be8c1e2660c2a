#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event_loop.hpp>

#include "commands.hpp"
#include "print.hpp"

namespace weirq {
namespace {

namespace redisq = weir::redisq;

const redisq::job_type<std::string, void, redisq::raw_payload> bench_job("weirq bench");

struct figures {
    std::size_t one_by_one = 0;  // jobs
    double submit_one_s = 0;
    double submit_bulk_s = 0;
    double drain_s = 0;
};

class stopwatch {
  public:
    [[nodiscard]] double seconds() const {
        const auto passed = std::chrono::steady_clock::now() - begin_;
        return std::chrono::duration<double>(passed).count();
    }

  private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

weir::task<> submit_all(job_server server, const settings* chosen, figures* out) {
    redisq::queue queue(server, chosen->queue);
    const std::string payload(chosen->payload_bytes, 'x');
    out->one_by_one = std::min<std::size_t>(chosen->jobs, 1000);
    const stopwatch first;
    for (std::size_t i = 0; i < out->one_by_one; ++i) {
        co_await queue.submit(bench_job, payload);
    }
    out->submit_one_s = first.seconds();
    const auto rest =
        std::views::iota(out->one_by_one, chosen->jobs) |
        std::views::transform([payload](std::size_t /*i*/) { return std::string(payload); });
    const stopwatch second;
    co_await queue.submit_many(bench_job, rest);
    out->submit_bulk_s = second.seconds();
}

// Ends when every job was run and is acknowledged.
weir::task<> drain(const settings* chosen, figures* out) {
    redisq::worker_options options;
    options.max_concurrency = chosen->concurrency;
    options.label = "weirq-bench";
    options.cluster = chosen->is_cluster;
    options.on_warning = [](const std::string&) {};  // its jobs are nobody's
    redisq::worker worker(chosen->server, options);
    std::size_t left = chosen->jobs;
    worker.serve(chosen->queue).on(bench_job, [&worker, &left](const std::string& /*payload*/) {
        if (--left == 0) {
            worker.request_stop();
        }
    });
    const stopwatch watch;
    co_await worker.run();
    out->drain_s = watch.seconds();
}

weir::task<> remove_queue(job_server server, std::string name) {
    const redisq::queue_keys keys(name);
    job_server home = server.of_queue(name);
    for (const std::string& lane : keys.lanes()) {
        redisq::value_or_throw(co_await home.command<void>("UNLINK", lane));
    }
    redisq::value_or_throw(co_await home.command<void>(
        "UNLINK", keys.delayed(), keys.filed(), keys.leases(), keys.workers(), keys.meta(),
        keys.cancels(), keys.dead(), keys.dead_jobs(), keys.schedules()));
}

double per_second(std::size_t jobs, double seconds) {
    return seconds > 0 ? static_cast<double>(jobs) / seconds : 0;
}

void print_figures(const settings& chosen, const figures& got) {
    const double one = per_second(got.one_by_one, got.submit_one_s);
    const double bulk = per_second(chosen.jobs - got.one_by_one, got.submit_bulk_s);
    const double drained = per_second(chosen.jobs, got.drain_s);
    if (chosen.as_json) {
        print_json({{"jobs", chosen.jobs},
                    {"payload_bytes", chosen.payload_bytes},
                    {"concurrency", chosen.concurrency},
                    {"submit_one_jobs_per_s", one},
                    {"submit_bulk_jobs_per_s", bulk},
                    {"drain_jobs_per_s", drained}});
        return;
    }
    const auto whole = [](double value) { return std::to_string(static_cast<long long>(value)); };
    print_table({{"submit, each awaited", whole(one), "jobs/s"},
                 {"submit_many", whole(bulk), "jobs/s"},
                 {"drain", whole(drained), "jobs/s, with the worker's beginning and end"}});
}

}  // namespace

weir::task<int> bench(job_server server, settings chosen) {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    chosen.queue = "weirq-bench-" + std::to_string(getpid()) + "-" + std::to_string(now);
    figures got;
    std::exception_ptr failure;
    try {
        co_await submit_all(server, &chosen, &got);
        co_await drain(&chosen, &got);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        std::fprintf(stderr, "weirq: what is left of it: queue '%s'\n", chosen.queue.c_str());
        std::rethrow_exception(failure);
    }
    co_await remove_queue(server, chosen.queue);
    print_figures(chosen, got);
    co_return 0;
}

}  // namespace weirq
