// Tells which share of a process's CPU is spent in user mode, by looking at it 4,000 times for each
// second of CPU (a software event of perf, so it needs no counters in the processor).
//
// The kernel's own division into user and system rests on 250 ticks a second here: far too few for
// the few percent that user mode has in an echo server. A look costs the server about a
// microsecond, 0.4 % of its time, whichever server it is.
// Thread: one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace echo {

class cpu_sampler {
  public:
    // Stopped at first. Without effect where the kernel does not allow it.
    explicit cpu_sampler(pid_t of);
    cpu_sampler(const cpu_sampler&) = delete;
    cpu_sampler& operator=(const cpu_sampler&) = delete;
    ~cpu_sampler();

    void start();
    void stop();

    // 0..1 over all time between start and stop; empty where nothing was seen.
    [[nodiscard]] std::optional<double> user_share();

  private:
    int fd_ = -1;
    std::byte* memory_ = nullptr;
};

// The same from the kernel's ticks, in hundredths of a second since the process started.
struct cpu_ticks {
    std::uint64_t user = 0;
    std::uint64_t system = 0;
};
[[nodiscard]] cpu_ticks read_cpu_ticks(pid_t of);

}  // namespace echo
