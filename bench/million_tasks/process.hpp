// What the kernel says about this process and this machine.
#pragma once

#include <cstdint>
#include <string>

namespace million_tasks {

// Resident memory now, and the most it ever was (VmHWM of /proc/self/status); 0 if unreadable.
[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t peak_resident_bytes();

// Memory that the kernel could hand out without swapping (MemAvailable).
[[nodiscard]] std::uint64_t available_bytes();

// CPU time of all threads of this process, user and system.
[[nodiscard]] double cpu_seconds();

struct machine {
    std::string cpu;
    std::uint64_t cores = 0;
    std::string kernel;
    std::string compiler;
    std::string flags;
};

[[nodiscard]] machine this_machine();

// "AMD EPYC, 2 cores, Linux 6.1.0, g++ 12.2.0 -O3"
[[nodiscard]] std::string machine_text(const machine& of);

}  // namespace million_tasks
