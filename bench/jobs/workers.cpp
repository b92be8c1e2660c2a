#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "../support/cores.hpp"
#include "crew.hpp"
#include "ours.hpp"
#include "producers.hpp"
#include "raw.hpp"

namespace jobs {
namespace {

constexpr double settling_share = 0.1;
constexpr double settling_max_s = 1;

void require_empty(const server_access& server) {
    const backlog left = backlog_of(server);
    if (left.waiting != 0 || left.claimed != 0) {
        throw bench::bench_error("the worker has left " + std::to_string(left.waiting) + " jobs, " +
                                 std::to_string(left.claimed) + " of them claimed");
    }
}

// Submits at the times begin + (index + n * producers) * gap, however late it is.
struct pace {
    std::uint64_t began_ns = 0;
    std::uint64_t gap_ns = 0;
    std::uint64_t jobs = 0;
    std::uint64_t producers = 1;
    const crew* workers = nullptr;
};

weir::task<> submit_when_due(producer* to, const pace* plan, std::uint64_t index) {
    std::array<char, payload_bytes> payload{};
    for (std::uint64_t job = index; job < plan->jobs; job += plan->producers) {
        const std::uint64_t due = plan->began_ns + job * plan->gap_ns;
        co_await weir::sleep_until(weir::time_point(std::chrono::nanoseconds(due)));
        if (plan->workers->has_failed()) {
            co_return;
        }
        std::memcpy(payload.data(), &due, sizeof due);
        const std::string_view bytes(payload.data(), payload.size());
        const auto made = co_await to->queue.submit(job_of_bench, bytes);
        static_cast<void>(made);
    }
}

weir::task<> spawn_paced(weir::scope& tasks, producer* to, const pace* plan) {
    for (std::uint64_t index = 0; index < plan->producers; ++index) {
        tasks.spawn(submit_when_due, to, plan, index);
    }
    co_return;
}

weir::task<> submit_at_pace(server_access server, pace plan) {
    producer to(server);
    co_await to.connect();
    co_await weir::with_scope(spawn_paced, &to, &plan);
    co_await to.redis.close();
}

}  // namespace

figures drain(const server_access& server, std::uint64_t jobs, std::uint64_t threads) {
    const stopwatch watch(server.process_id);
    crew workers({.server = server, .threads = threads});
    workers.end_after(jobs);
    workers.join();
    const figures out = watch.figures_of(jobs);
    require_empty(server);
    return out;
}

figures steady(const server_access& server, const steady_load& load) {
    bench::take_short_turns();
    bench::take_short_turns(server.process_id);
    // Until then the connections are made.
    constexpr std::uint64_t lead_ns = 50'000'000;
    pace plan;
    plan.gap_ns = static_cast<std::uint64_t>(1e9 / load.jobs_per_s);
    plan.jobs = std::max<std::uint64_t>(load.producers,
                                        static_cast<std::uint64_t>(load.jobs_per_s * load.seconds));
    plan.producers = load.producers;
    plan.began_ns = now_ns() + lead_ns;
    const double settling_s = std::min(load.seconds * settling_share, settling_max_s);
    crew workers({.server = server,
                  .threads = load.threads,
                  .timed = true,
                  .sampled_from = plan.began_ns + static_cast<std::uint64_t>(settling_s * 1e9)});
    plan.workers = &workers;
    const stopwatch watch(server.process_id);
    weir::run(submit_at_pace(server, plan));
    figures out = watch.figures_of(plan.jobs);
    out.jobs_per_s = out.jobs * 1e9 / static_cast<double>(now_ns() - plan.began_ns);
    workers.end_after(plan.jobs);
    workers.join();
    out.client_cpu_ns = static_cast<double>(workers.cpu_ns()) / static_cast<double>(plan.jobs);
    bench::samples latencies = workers.latencies();
    judge(latencies, out);
    require_empty(server);
    return out;
}

}  // namespace jobs
