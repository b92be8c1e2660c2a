// What a figure was measured on.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

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

}  // namespace bench
