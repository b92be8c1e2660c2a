// What the command line of resp asks for. Limits are inclusive, and every error that they cause
// prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog.hpp"
#include "shape.hpp"

namespace resp {

inline constexpr std::uint64_t rounds_max = 1'000;
inline constexpr double seconds_min = 0.01;
inline constexpr double seconds_max = 600;

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

// Where `value` is empty the program has said all it has to say and ends with `exit_code`: 0 after
// --help and --list, 2 after a bad option, which is named on stderr in one line.
struct parsed_options {
    std::optional<options> value;
    int exit_code = 0;
};

[[nodiscard]] parsed_options parse_options(int argc, const char* const* argv);

}  // namespace resp
