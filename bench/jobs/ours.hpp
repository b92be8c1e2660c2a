// Our producers and workers, each call in a process of its own.
//
// Errors: std::exception with the text of what went wrong; also where jobs are left over, and where
// the worker reports anything.
#pragma once

#include <cstdint>

#include "measure.hpp"

namespace jobs {

// So many producers, each of which awaits its own submit, for so long.
[[nodiscard]] figures submit_each(const server_access& server, std::uint64_t producers,
                                  double seconds);

[[nodiscard]] figures submit_bulk(const server_access& server, std::uint64_t jobs);

// A worker on each of so many threads, until all of the jobs, which the queue holds, have ended.
[[nodiscard]] figures drain(const server_access& server, std::uint64_t jobs, std::uint64_t threads);

// Producers on one thread, whose submits are due evenly spread, beside the worker's threads.
// Latency is from the time at which a submit was due to the start of the job's handler. CPU is that
// of the worker's threads.
struct steady_load {
    double jobs_per_s = 0;
    double seconds = 0;
    std::uint64_t producers = 1;
    std::uint64_t threads = 1;
};
[[nodiscard]] figures steady(const server_access& server, const steady_load& load);

}  // namespace jobs
