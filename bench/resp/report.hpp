// The figures of all rounds, and the forms in which they are given: JSON, tables, a picture.
#pragma once

#include <string>
#include <vector>

#include "meter.hpp"
#include "parsers/parser.hpp"
#include "shape.hpp"

namespace resp {

struct client_row {
    std::string client;
    shape of;
    std::vector<figures> rounds;
};

struct parser_row {
    std::string parser;
    std::string input;
    std::vector<parser_figures> rounds;
};

struct report {
    std::string machine;
    std::string server;
    std::vector<client_row> clients;  // by shape, then by client; those with a round
    std::vector<parser_row> parsers;  // by input, then by parser; those with a round
};

// A JSON array with one object a row.
[[nodiscard]] std::string to_json(const report& of);
// One table for each shape and each input.
[[nodiscard]] std::string tables_text(const report& of);
// Client CPU an operation for SET and GET side by side, big replies, parsers.
[[nodiscard]] std::string picture(const report& of);

}  // namespace resp
