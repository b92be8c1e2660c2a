#include "measure.hpp"

#include "../support/bench_error.hpp"
#include "../support/clocks.hpp"
#include "../support/proc_file.hpp"

namespace jobs {
namespace {

// All its threads, the one that writes to the disk among them.
std::uint64_t cpu_of(pid_t process) {
    clockid_t clock{};
    return clock_getcpuclockid(process, &clock) == 0 ? bench::clock_ns(clock) : 0;
}

}  // namespace

std::uint64_t now_ns() { return bench::clock_ns(CLOCK_MONOTONIC); }
std::uint64_t thread_cpu_ns() { return bench::clock_ns(CLOCK_THREAD_CPUTIME_ID); }

stopwatch::stopwatch(pid_t server)
    : server_(server),
      began_(now_ns()),
      client_cpu_(bench::clock_ns(CLOCK_PROCESS_CPUTIME_ID)),
      server_cpu_(cpu_of(server)) {}

double stopwatch::elapsed_s() const { return static_cast<double>(now_ns() - began_) / 1e9; }

figures stopwatch::figures_of(std::uint64_t jobs) const {
    const auto wall_ns = static_cast<double>(now_ns() - began_);
    const auto client_ns =
        static_cast<double>(bench::clock_ns(CLOCK_PROCESS_CPUTIME_ID) - client_cpu_);
    const auto server_ns = static_cast<double>(cpu_of(server_) - server_cpu_);
    if (jobs == 0) {
        throw bench::bench_error("no job was done within the time");
    }
    const auto count = static_cast<double>(jobs);
    figures out;
    out.jobs = count;
    out.jobs_per_s = count * 1e9 / wall_ns;
    out.client_cpu_ns = client_ns / count;
    out.server_cpu_ns = server_ns / count;
    const bench::proc_file status("/proc/self/status");
    out.rss_bytes = static_cast<double>(bench::number_at(status.field("VmHWM:")) * 1024);
    return out;
}

void judge(bench::samples& latencies, figures& out) {
    if (!latencies.empty()) {
        out.p50_us = latencies.quantile_us(0.5);
        out.p99_us = latencies.quantile_us(0.99);
    }
}

}  // namespace jobs
