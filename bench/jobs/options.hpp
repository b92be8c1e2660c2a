// What the command line of jobs asks for. Limits are inclusive, and every error that they cause
// prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shape.hpp"

namespace jobs {

struct options {
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
};

// Where `value` is empty the program has said all it has to say and ends with `exit_code`: 0 after
// --help, 2 after a bad option, which is named on stderr in one line.
struct parsed_options {
    std::optional<options> value;
    int exit_code = 0;
};

[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace jobs
