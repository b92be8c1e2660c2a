// The figures of all rounds, and the forms in which they are given: JSON, tables, a picture.
#pragma once

#include <string>
#include <vector>

#include "measure.hpp"
#include "shape.hpp"

namespace jobs {

struct row {
    shape of;
    std::vector<figures> rounds;
    std::vector<double> ceilings;       // jobs a second of the client by hand, where it has that
    std::vector<double> bytes_per_job;  // of submit_bulk
};

struct report {
    std::string machine;
    std::string server;
    std::vector<row> rows;  // by durability, client, phase and threads; those with a round
};

// A JSON array with one object a row; what was not measured is null.
[[nodiscard]] std::string to_json(const report& of);
// One table for each durability.
[[nodiscard]] std::string tables_text(const report& of);
// Rates beside the ceiling, latencies and bytes.
[[nodiscard]] std::string picture(const report& of);

}  // namespace jobs
