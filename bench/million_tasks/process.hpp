// What the kernel says about this process.
#pragma once

#include <cstdint>

#include "../support/machine.hpp"

namespace million_tasks {

// Resident memory now, and the most it ever was (VmHWM of /proc/self/status); 0 if unreadable.
[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t peak_resident_bytes();

// Memory that the kernel could hand out without swapping (MemAvailable).
[[nodiscard]] std::uint64_t available_bytes();

// CPU time of all threads of this process, user and system.
[[nodiscard]] double cpu_seconds();

using bench::machine;
using bench::machine_text;
using bench::this_machine;

}  // namespace million_tasks
