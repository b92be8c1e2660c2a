// What the command line of echo asks for. Limits are inclusive, and every error that they cause
// prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "catalog.hpp"
#include "shape.hpp"

namespace echo {

inline constexpr std::uint64_t rounds_max = 1'000;
inline constexpr double rate_max = 100'000'000;

struct options {
    std::vector<const server*> servers;
    std::vector<shape> shapes;
    std::uint64_t rounds = 5;
    double seconds = 1;
    double rate = 0;             // messages a second; 0: closed loop
    std::uint64_t idle = 1'000;  // connections whose memory is looked at
    bool quick = false;
    bool seconds_given = false;
    std::string json_path;
    std::string plot_path;
};

using parsed_options = bench::parsed<options>;
[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace echo
