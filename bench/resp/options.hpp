// What the command line of resp asks for. Limits are inclusive, and every error that they cause
// prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "catalog.hpp"
#include "shape.hpp"

namespace resp {

inline constexpr std::uint64_t rounds_max = 1'000;

struct options {
    std::vector<const client*> clients;
    std::vector<shape> shapes;
    bool parsers = true;
    std::uint64_t rounds = 5;
    double seconds = 0.5;
    bool quick = false;
    bool seconds_given = false;
    std::string json_path;
    std::string svg_path;
};

using parsed_options = bench::parsed<options>;
[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace resp
