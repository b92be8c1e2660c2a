#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/run.hpp>

#include "allocations.hpp"
#include "process.hpp"
#include "run_state.hpp"
#include "strategies.hpp"

namespace million_tasks {
namespace {

constexpr std::size_t floor_rounds = 6;  // before the run, and again after it

std::vector<std::pair<std::string, std::uint64_t>> named(const weir::loop_counters& counters) {
    return {{"ticks", counters.ticks},
            {"resumes", counters.resumes},
            {"starts_in_place", counters.starts_in_place},
            {"ready_depth_max", counters.ready_depth_max},
            {"timers_armed", counters.timers_armed},
            {"timers_fired", counters.timers_fired},
            {"timers_canceled", counters.timers_canceled},
            {"posts", counters.posts},
            {"wakes", counters.wakes},
            {"stalls", counters.stalls},
            {"enters", counters.enters},
            {"sqes", counters.sqes},
            {"cqes", counters.cqes},
            {"overflows", counters.overflows},
            {"deferred", counters.deferred}};
}

// Runs the strategy and fills in what has to be read right before and right after it.
weir::task<> timed(strategy run, run_state* state, report* figures) {
    figures->rss_before_bytes = resident_bytes();
    const std::uint64_t allocations = thread_allocations();
    const double cpu = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    try {
        co_await run(state);
    } catch (const weir::canceled&) {
        figures->checksum_ok.reset();  // interrupted; `completed` tells how far it came
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    figures->wall_s = wall.count();
    figures->cpu_s = cpu_seconds() - cpu;
    figures->rss_peak_bytes = peak_resident_bytes();
    figures->completed = state->finished().load(std::memory_order_relaxed);
    figures->allocations_per_task =
        static_cast<double>(thread_allocations() - allocations) /
        static_cast<double>(std::max<std::uint64_t>(figures->completed, 1));
    figures->loop = named(weir::event_loop::current()->counters());
}

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

measured measure(const options& asked, bench::output_file& csv, bool progress, bool points) {
    measured out{.figures = report_of(asked), .points = {}};
    report& figures = out.figures;
    run_state state(asked);
    std::vector<double> floors;
    floors.reserve(2 * floor_rounds);
    const auto add_floor_rounds = [&] {
        for (std::size_t round = 0; round < floor_rounds; ++round) {
            floors.push_back(floor_round_ns(state.recipe(), asked.tasks));
        }
    };
    add_floor_rounds();

    std::optional<sampler> watch;
    sampler_options watched{.strategy = asked.strategy,
                            .tasks = asked.tasks,
                            .progress = progress,
                            .points = points,
                            .csv = csv.wanted() ? &csv : nullptr};
    if (watched.wanted()) {
        watch.emplace(state.finished(), std::move(watched));
    }
    weir::manual_clock simulated;
    weir::run_options how;
    how.loop.clock = asked.manual_clock ? &simulated : nullptr;
    how.stop_signals = {SIGINT};
    weir::run(timed(find_strategy(asked.strategy, asked.payload_bytes), &state, &figures), how);
    if (watch) {
        out.points = watch->stop();
    }

    add_floor_rounds();
    figures.floor_ns_per_task = median(floors);
    figures.max_running = state.max_running();
    figures.max_queued = state.max_queued();
    if (!figures.interrupted()) {
        figures.checksum_ok =
            state.checksum() == expected_checksum(asked.tasks, asked.payload_bytes);
    }
    return out;
}

}  // namespace million_tasks
