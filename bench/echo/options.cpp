#include "options.hpp"

#include "../support/catalog.hpp"
#include "../support/option_values.hpp"

namespace echo {
namespace {

constexpr const char* description =
    "Measures TCP echo servers on this machine: each runs alone in a process on one core, the "
    "load\n"
    "generator on another; all are measured in turn, round after round. Lists are separated by\n"
    "commas, and every combination is measured.\n";

constexpr const char* examples =
    "Examples:\n"
    "  echo                                              all servers, four shapes, 5 rounds\n"
    "  echo --quick --json echo.json --plot echo.svg     the same within 50 s\n"
    "  echo --servers epoll,libuv --connections 1,10000 --depth 1 --size 64,65536\n"
    "  echo --connections 50 --depth 100 --rate 100000   latencies at a fixed rate\n"
    "  echo --quick --idle 10000                         memory of ten thousand connections\n"
    "\n"
    "Exit status: 0 done, 1 a server failed, 2 bad option.";

constexpr const char* rounds_rule = "Rounds over all servers, 1..1000 (default 5)";
constexpr const char* seconds_rule =
    "Time measured of each server, shape and round, 0.01..600 (default 1, with --quick what fits)";
constexpr const char* rate_rule =
    "Messages due a second over all connections, 0..100000000 (default 0: each answer is followed "
    "by the next message)";

constexpr const char* idle_rule =
    "Connections that are kept idle to see what memory one holds, 1..16384 (default 1000)";

bench::command_line described() {
    bench::command_line line(description, "echo", examples);
    line.add("--servers", "NAMES",
             "all, or of " + bench::built_names(catalog()) + " (default all)");
    line.add("--connections", "COUNTS", "1..16384 (default 50,1000)");
    line.add("--depth", "COUNTS", "Messages under way on a connection, 1..1024 (default 1,16)");
    line.add("--size", "BYTES", "Bytes of a message, 1..65536 (default 64)");
    line.add("--rounds", "COUNT", rounds_rule);
    line.add("--seconds", "SECONDS", seconds_rule);
    line.add("--rate", "COUNT", rate_rule);
    line.add("--idle", "COUNT", idle_rule);
    line.add("--json", "FILE",
             "Write the figures as a JSON array, one object per server and shape");
    line.add("--plot", "FILE.svg", "Draw server CPU a message and the 99th percentile");
    line.add_flag("--quick", "End within 50 s, whatever is asked for; rounds may become fewer");
    line.add_flag("--list", "Print the servers and exit");
    return line;
}

void interpret_shapes(const bench::raw_values& raw, options& out) {
    const auto counts = [&raw](const char* option, std::uint64_t high, const char* standard) {
        return bench::parse_counts(option, bench::value_or(raw, option, standard), high);
    };
    const std::vector<std::uint64_t> connections =
        counts("--connections", connections_max, "50,1000");
    const std::vector<std::uint64_t> depths = counts("--depth", depth_max, "1,16");
    const std::vector<std::uint64_t> sizes = counts("--size", size_max, "64");
    for (const std::uint64_t size : sizes) {
        for (const std::uint64_t depth : depths) {
            for (const std::uint64_t count : connections) {
                if (count * depth * size > under_way_bytes_max) {
                    throw bench::option_error("--connections, --depth, --size",
                                              std::to_string(count) + " x " +
                                                  std::to_string(depth) + " x " +
                                                  std::to_string(size),
                                              "products of at most 1073741824 bytes");
                }
                out.shapes.push_back({.connections = count, .depth = depth, .size = size});
            }
        }
    }
}

std::optional<options> interpret(const bench::raw_values& raw) {
    if (raw.contains("--list")) {
        bench::print_entries(catalog());
        return std::nullopt;
    }
    options out;
    const auto value_or = [&raw](const char* option, const char* standard) {
        return bench::value_or(raw, option, standard);
    };
    out.quick = raw.contains("--quick");
    out.seconds_given = raw.contains("--seconds");
    out.servers = bench::parse_entries(catalog(), "--servers", value_or("--servers", "all"));
    interpret_shapes(raw, out);
    out.rounds = bench::parse_count("--rounds", value_or("--rounds", "5"), 1, rounds_max);
    out.seconds = bench::parse_seconds("--seconds", value_or("--seconds", "1"));
    out.rate = bench::parse_number("--rate", value_or("--rate", "0"), 0, rate_max, "0..100000000");
    out.idle = bench::parse_count("--idle", value_or("--idle", "1000"), 1, connections_max);
    out.json_path = bench::path_in(raw, "--json");
    out.plot_path = bench::path_in(raw, "--plot");
    return out;
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
    return bench::parse_command_line<options>("echo", described(), argc, argv, interpret);
}

}  // namespace echo
