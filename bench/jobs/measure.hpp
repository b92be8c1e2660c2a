// Measures from within the process that does the work: wall time, its own CPU, that of the server.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "../support/samples.hpp"

namespace jobs {

inline constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

// Small enough for bench::isolate.
struct figures {
    double jobs = 0;
    double jobs_per_s = 0;
    double p50_us = nothing;
    double p99_us = nothing;
    double client_cpu_ns = nothing;  // a job
    double server_cpu_ns = nothing;  // a job
    double rss_bytes = nothing;      // at the most
};

struct server_access {
    std::string socket_path;
    pid_t process_id = 0;
};

[[nodiscard]] std::uint64_t now_ns();
[[nodiscard]] std::uint64_t thread_cpu_ns();

class stopwatch {
  public:
    explicit stopwatch(pid_t server);

    [[nodiscard]] double elapsed_s() const;
    // Since the constructor, shared by so many jobs. Requires one.
    [[nodiscard]] figures figures_of(std::uint64_t jobs) const;

  private:
    pid_t server_;
    std::uint64_t began_;
    std::uint64_t client_cpu_;
    std::uint64_t server_cpu_;
};

// So many latencies are kept.
inline constexpr std::size_t samples_max = 4'000'000;
// Writes p50_us and p99_us, where there are any.
void judge(bench::samples& latencies, figures& out);

}  // namespace jobs
