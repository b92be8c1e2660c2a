// The parsers that are measured, without a socket: a recorded stream is fed to them in pieces as a
// socket would give them, again and again.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resp {

// Replies as redis-server has sent them, in both protocols.
struct input {
    std::string name;
    std::string resp2;
    std::string resp3;
    std::uint64_t replies = 0;
};

// Asks the server: "small", "bulk_1mib", "array_10000", "nested_maps".
[[nodiscard]] std::vector<input> record_inputs(const std::string& socket_path);

struct parser_figures {
    double mb_per_s = 0;     // millions of bytes
    double allocations = 0;  // a reply, once warm
};

struct parser_entry {
    std::string_view name;
    std::string_view missing;
    parser_figures (*run)(const input& of, std::chrono::nanoseconds window) = nullptr;
};
[[nodiscard]] std::span<const parser_entry> parsers();

[[nodiscard]] parser_figures run_hiredis_reader(const input& of, std::chrono::nanoseconds window);
[[nodiscard]] parser_figures run_weir_parser(const input& of, std::chrono::nanoseconds window);

// How often this process has asked the heap for memory.
[[nodiscard]] std::uint64_t allocation_count() noexcept;

inline constexpr std::size_t piece_bytes = 16'384;

// Feeds `stream` to `feed(piece)`, which tells how many replies were complete by then, for a
// quarter of the window to warm up, then for the window. Throws bench::bench_error where a pass
// through the stream does not give `replies`.
template <class Feed>
[[nodiscard]] parser_figures measure_parser(std::string_view stream, std::uint64_t replies,
                                            std::chrono::nanoseconds window, Feed feed);

}  // namespace resp

#include "measure_impl.hpp"
