// The four that are measured: one round of each.
#pragma once

#include <chrono>
#include <string>

#include "options.hpp"
#include "sample_file.hpp"

namespace files {

struct figures {
    double wall_s = 0;
    double cpu_s = 0;  // of all threads, user and system
};

// From its construction to stop(): wall clock, and CPU of this process.
class stopwatch {
  public:
    stopwatch();
    [[nodiscard]] figures stop() const;

  private:
    std::chrono::steady_clock::time_point begin_;
    double cpu_;
};

// Each throws std::exception where something fails or what was read is wrong. A copy is made at
// `to`, which is not there yet, and is left to be checked.
[[nodiscard]] figures copy_by_weir(const sample_file& from, const std::string& to);
[[nodiscard]] figures copy_by_cp(const sample_file& from, const std::string& to);
[[nodiscard]] figures read_by_weir(const sample_file& from, const options& asked);
[[nodiscard]] figures read_by_liburing(const sample_file& from, const options& asked);

}  // namespace files
