// What was measured, as a table for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "measure.hpp"
#include "options.hpp"

namespace files {

struct row {
    const char* work = "";  // "copy" or "random_read"
    const char* who = "";
    std::uint64_t bytes = 0;       // of one round
    std::uint64_t operations = 0;  // of one round
    std::uint64_t depth = 0;
    std::vector<figures> rounds;

    [[nodiscard]] double median(double figures::* what) const;
};

[[nodiscard]] std::string to_json(const std::vector<row>& rows, const options& asked);
// One line a row, and for each work how fast ours is beside the other.
[[nodiscard]] std::string tables_text(const std::vector<row>& rows, const std::string& machine);

}  // namespace files
