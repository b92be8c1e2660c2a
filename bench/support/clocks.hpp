// The system's clocks in nanoseconds: CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID and others of
// clock_gettime(2).
#pragma once

#include <cstdint>
#include <ctime>

namespace bench {

inline std::uint64_t clock_ns(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace bench
