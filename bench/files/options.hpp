// What is asked of bench/files.
#pragma once

#include <cstdint>
#include <string>

#include "../support/command_line.hpp"

namespace files {

inline constexpr std::uint64_t block_bytes = 4096;

struct options {
    std::uint64_t file_bytes = std::uint64_t{1} << 30;  // whole blocks
    std::uint64_t reads = 1'000'000;                    // of one round
    std::uint64_t depth = 64;
    std::uint64_t rounds = 5;
    std::string folder = ".";
    bool copies = true;
    bool reads_at_random = true;
    std::string json_path;
};

using parsed_options = bench::parsed<options>;
[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace files
