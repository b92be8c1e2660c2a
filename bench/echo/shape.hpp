// How the load looks: so many connections, each with at most `depth` messages of `size` bytes on
// their way.
#pragma once

#include <cstdint>
#include <string>

#include "../support/values.hpp"

namespace echo {

inline constexpr std::uint64_t connections_max = 16'384;
inline constexpr std::uint64_t depth_max = 1'024;
inline constexpr std::uint64_t size_max = 65'536;
// Of all connections together; more would take longer to end than to measure.
inline constexpr std::uint64_t under_way_bytes_max = std::uint64_t{1} << 30;

struct shape {
    std::uint64_t connections = 50;
    std::uint64_t depth = 1;
    std::uint64_t size = 64;

    friend bool operator==(const shape&, const shape&) = default;
};

// "1,000 connections, depth 16, 64 bytes"
[[nodiscard]] inline std::string shape_text(const shape& of) {
    return bench::with_separators(of.connections) +
           (of.connections == 1 ? " connection, depth " : " connections, depth ") +
           std::to_string(of.depth) + ", " + bench::with_separators(of.size) +
           (of.size == 1 ? " byte" : " bytes");
}

}  // namespace echo
