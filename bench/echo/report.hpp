// The figures of one server under one shape over all rounds, and the forms in which they are given:
// JSON, a table, a picture.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measure.hpp"

namespace echo {

struct row {
    std::string server;
    shape of;
    std::vector<figures> rounds;
    std::optional<double> idle_bytes;  // of an idle connection, of the server whatever the shape

    // The median over the rounds of one of the figures; of an even count the middle of both.
    // Requires a round.
    [[nodiscard]] double median(double figures::* what) const;
    [[nodiscard]] double lowest(double figures::* what) const;
    [[nodiscard]] double highest(double figures::* what) const;
    [[nodiscard]] std::optional<double> syscalls_per_message() const;
};

// A JSON array with one object per row.
[[nodiscard]] std::string to_json(const std::vector<row>& rows);

// One table for each shape. `machine` is printed beside the figures.
[[nodiscard]] std::string tables_text(const std::vector<row>& rows, double rate,
                                      const std::string& machine);

// Server CPU a message and the 99th percentile, side by side, for each shape.
[[nodiscard]] std::string rows_plot(const std::vector<row>& rows, double rate,
                                    const std::string& machine);

}  // namespace echo
