#include "measure.hpp"

#include <algorithm>
#include <ctime>

#include "../resp/bench_error.hpp"
#include "../support/proc_file.hpp"

namespace jobs {
namespace {

constexpr std::size_t samples_max = 4'000'000;

std::uint64_t clock_ns(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

// All its threads, the one that writes to the disk among them.
std::uint64_t cpu_of(pid_t process) {
    clockid_t clock{};
    return clock_getcpuclockid(process, &clock) == 0 ? clock_ns(clock) : 0;
}

}  // namespace

std::uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }
std::uint64_t thread_cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

stopwatch::stopwatch(pid_t server)
    : server_(server),
      began_(now_ns()),
      client_cpu_(clock_ns(CLOCK_PROCESS_CPUTIME_ID)),
      server_cpu_(cpu_of(server)) {}

double stopwatch::elapsed_s() const { return static_cast<double>(now_ns() - began_) / 1e9; }

figures stopwatch::figures_of(std::uint64_t jobs) const {
    const auto wall_ns = static_cast<double>(now_ns() - began_);
    const auto client_ns = static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - client_cpu_);
    const auto server_ns = static_cast<double>(cpu_of(server_) - server_cpu_);
    if (jobs == 0) {
        throw resp::bench_error("no job was done within the time");
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

void samples::add(std::uint64_t ns) {
    if (ns_.size() < samples_max) {
        ns_.push_back(static_cast<std::uint32_t>(
            std::min<std::uint64_t>(ns, std::numeric_limits<std::uint32_t>::max())));
    }
}

void samples::add(const samples& others) {
    for (const std::uint32_t each : others.ns_) {
        add(each);
    }
}

void samples::judge(figures& out) {
    if (ns_.empty()) {
        return;
    }
    const auto quantile = [this](double share) {
        const auto index = static_cast<std::size_t>(share * static_cast<double>(ns_.size() - 1));
        const auto at = ns_.begin() + static_cast<std::ptrdiff_t>(index);
        std::ranges::nth_element(ns_, at);
        return static_cast<double>(*at) / 1e3;
    };
    out.p50_us = quantile(0.5);
    out.p99_us = quantile(0.99);
}

}  // namespace jobs
