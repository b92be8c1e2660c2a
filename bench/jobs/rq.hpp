// RQ, a job queue in Python, beside ours: rq_baseline.py in a process of its own, each call on the
// core and the server that ours is measured on.
//
// Errors: bench::bench_error with what went wrong.
#pragma once

#include <cstdint>
#include <string>

#include "measure.hpp"
#include "shape.hpp"

namespace jobs {

class rq {
  public:
    // Looks for the interpreter, the script and the module.
    rq();

    // Why it cannot be measured; empty where it can.
    [[nodiscard]] const std::string& missing() const { return missing_; }

    // Requires that nothing is missing, and for a drain that as many jobs wait; it ends when they
    // are done, or soon after so many seconds. In a process of its own, whose CPU is not counted.
    [[nodiscard]] figures submit_one(const server_access& server, double seconds) const;
    [[nodiscard]] figures submit_bulk(const server_access& server, std::uint64_t jobs) const;
    [[nodiscard]] figures drain(const server_access& server, std::uint64_t jobs,
                                double seconds) const;
    [[nodiscard]] figures steady(const server_access& server, std::uint64_t jobs,
                                 double jobs_per_s) const;

  private:
    [[nodiscard]] figures run(const server_access& server, phase of, const std::string& number,
                              const std::string& more = {}) const;

    std::string python_;
    std::string script_;
    std::string missing_;
};

}  // namespace jobs
