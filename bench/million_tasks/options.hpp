// What the command line of million_tasks asks for.
//
// Limits are inclusive and are printed by every error that they cause.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../support/command_line.hpp"

namespace million_tasks {

inline constexpr std::uint64_t tasks_max = 10'000'000'000;
inline constexpr std::uint64_t concurrency_max = 16'777'216;
inline constexpr std::uint64_t queue_max = 16'777'216;
inline constexpr std::uint64_t payload_bytes_max = 1'048'576;
inline constexpr std::chrono::nanoseconds sleep_max = std::chrono::hours{24};

struct options {
    std::string strategy = "all";
    std::uint64_t tasks = 1'000'000;
    std::uint64_t concurrency = 1'000;
    std::uint64_t queue = 10'000;
    std::uint64_t payload_bytes = 400;
    std::chrono::nanoseconds sleep{0};
    // One task in `straggler_every` sleeps for `straggler` instead; 0: there is no straggler.
    std::chrono::nanoseconds straggler{0};
    std::uint64_t straggler_every = 0;
    bool manual_clock = false;
    bool quiet = false;
    bool progress = false;  // the progress line on a terminal, also with quiet
    std::string json_path;
    std::string csv_path;
    std::string plot_path;
};

// The strategies that run inside this program, in the order in which `all` runs them.
[[nodiscard]] const std::vector<std::string_view>& strategy_names();

using parsed_options = bench::parsed<options>;
[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

// The arguments that make another million_tasks do the same work with one strategy; --quiet is
// among them, the output files are not.
[[nodiscard]] std::vector<std::string> workload_arguments(const options& from,
                                                          std::string_view strategy);

}  // namespace million_tasks
