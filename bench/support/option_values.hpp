// Values of options that several programs have: lists, times, files.
//
// The parsers throw option_error, whose text names the option, the value and what is allowed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "values.hpp"

namespace bench {

// "a,b" -> a, b; an empty text is one empty piece.
[[nodiscard]] std::vector<std::string> pieces_of(const std::string& list);

template <class Item>
void append_once(std::vector<Item>& out, Item item, const std::string& option,
                 const std::string& value) {
    if (std::ranges::find(out, item) != out.end()) {
        throw option_error(option, value, "each once");
    }
    out.push_back(std::move(item));
}

// Whole numbers within [1, high], separated by commas, each once.
[[nodiscard]] std::vector<std::uint64_t> parse_counts(const std::string& option,
                                                      const std::string& value, std::uint64_t high);

// A number within [low, high], which is what `rule` says.
[[nodiscard]] double parse_number(const std::string& option, const std::string& value, double low,
                                  double high, const char* rule);

// How long something is measured: 0.01..600.
[[nodiscard]] double parse_seconds(const std::string& option, const std::string& value);

// What stands behind the option, or `standard`.
[[nodiscard]] std::string value_or(const raw_values& raw, const std::string& option,
                                   const char* standard);

// The path that stands behind the option; empty where that was not given.
[[nodiscard]] std::string path_in(const raw_values& raw, const std::string& option);

}  // namespace bench
