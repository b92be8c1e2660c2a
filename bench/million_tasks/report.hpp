// The figures of one strategy, and the two forms in which they are given: JSON and text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"
#include "process.hpp"

namespace million_tasks {

struct report {
    std::string strategy;
    std::uint64_t tasks = 0;
    std::uint64_t completed = 0;  // fewer than `tasks` where the run was interrupted
    // Empty where the run was interrupted: which tasks should be in the sum is then unknown.
    std::optional<bool> checksum_ok;
    std::uint64_t concurrency = 0;
    std::uint64_t queue = 0;
    std::uint64_t payload_bytes = 0;
    double sleep_ms = 0;
    double straggler_ms = 0;
    std::uint64_t straggler_every = 0;
    std::string clock;
    double wall_s = 0;
    double cpu_s = 0;
    double floor_ns_per_task = 0;
    std::uint64_t rss_before_bytes = 0;
    std::uint64_t rss_peak_bytes = 0;
    std::uint64_t max_running = 0;
    std::uint64_t max_queued = 0;
    std::optional<double> allocations_per_task;  // empty where it cannot be counted
    std::vector<std::pair<std::string, std::uint64_t>> loop;
    machine on;

    [[nodiscard]] double tasks_per_s() const;
    [[nodiscard]] double ns_per_task() const;
    [[nodiscard]] bool interrupted() const { return completed < tasks; }
    // Ended as it should: all tasks, with the right results.
    [[nodiscard]] bool complete() const { return !interrupted() && checksum_ok.value_or(false); }
};

// What is asked for, known before the run.
[[nodiscard]] report report_of(const options& asked);

// A JSON array of one object per report, and back. Numbers that are null or absent are read as 0.
// from_json throws std::exception on anything else that is not such an array.
[[nodiscard]] std::string to_json(const std::vector<report>& reports);
[[nodiscard]] std::vector<report> from_json(const std::string& text);

// "1,000,000 tasks, 1,000 at a time, queue of 10,000, 400-byte payload, no sleep"
[[nodiscard]] std::string workload_text(const report& of);
// Some lines about one strategy.
[[nodiscard]] std::string details_text(const report& of);
// A table with a line per strategy, in proportion to the strategy `pool` where it is there.
[[nodiscard]] std::string table_text(const std::vector<report>& reports);

}  // namespace million_tasks
