// Options of a handler: when its jobs are tried again, how long and how many may run.
//
//     weir::redisq::handler_options gentle;
//     gentle.retry = weir::redisq::retry_policy::fixed(5s, 3);
//     gentle.timeout = 30s;
//     gentle.check();
//
// Errors: check() throws std::invalid_argument, which names the option, its value and what is
// allowed; so does whoever is given the options. Thread: any; values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "retry_policy.hpp"

namespace weir::redisq {

// How jobs of one type are treated by a worker.
struct handler_options {
    retry_policy retry = {};
    // Of one run; zero: as the job says, or the worker's.
    duration timeout = duration::zero();
    // Jobs of this type that run at a time in this worker; 0: as many as the worker has slots.
    std::size_t max_concurrency = 0;
    // Starts of this type from one queue, in all workers together: at most `rate` within
    // `rate_period`, evenly spread, and `rate_burst` at once; 0: any number. Of a batch, each job
    // is a start.
    std::uint32_t rate = 0;
    duration rate_period = std::chrono::seconds(1);
    std::uint32_t rate_burst = 1;

    // Throws std::invalid_argument.
    void check() const;
};

// Of a handler that takes many jobs at once.
struct batch_options {
    handler_options each = {};
    // Jobs of one call, 1 to 10,000.
    std::size_t max_jobs = 100;
    // How long the first job of a batch waits for more; 0 to a minute. Zero: for those that came
    // with it.
    duration linger = duration::zero();

    void check() const;
};

}  // namespace weir::redisq
