// What the command line of jobs asks for. Limits are inclusive, and every error that they cause
// prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "shape.hpp"

namespace jobs {

struct options {
    std::vector<client> clients;
    std::vector<phase> phases;
    std::vector<durability> kept;
    std::vector<std::uint64_t> threads;
    std::uint64_t jobs = 0;       // of a backlog
    std::uint64_t producers = 0;  // of submit_concurrent and steady
    std::uint64_t rounds = 0;
    double seconds = 0;         // of submit_one and submit_concurrent
    double steady_seconds = 0;  // of steady
    std::uint64_t rate = 0;     // of steady, jobs a second; 0: half load
    bool quick = false;
    std::string json_path;
    std::string svg_path;

    [[nodiscard]] bool asks_for(phase of) const;
    [[nodiscard]] bool asks_for(client who) const;
};

using parsed_options = bench::parsed<options>;
[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace jobs
