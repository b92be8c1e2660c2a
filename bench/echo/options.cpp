#include "options.hpp"

#include <algorithm>
#include <cstdio>

#include "../support/command_line.hpp"
#include "../support/values.hpp"

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
    line.add("--servers", "NAMES", "all, or of " + built_names() + " (default all)");
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

std::vector<std::string> pieces_of(const std::string& list) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = list.find(',', begin);
        out.push_back(list.substr(begin, end - begin));
    }
    return out;
}

const server* parse_server(const std::string& option, const std::string& name) {
    const server* const found = find_server(name);
    if (found == nullptr) {
        throw bench::option_error(option, name, "all, or of " + built_names());
    }
    if (!found->missing.empty()) {
        throw bench::option_error(option + ": '" + name + "' was not built, since " +
                                  std::string(found->missing) +
                                  " was missing; allowed: all, or of " + built_names());
    }
    return found;
}

std::vector<const server*> parse_servers(const std::string& option, const std::string& value) {
    std::vector<const server*> out;
    if (value == "all") {
        for (const server& each : catalog()) {
            if (each.missing.empty()) {
                out.push_back(&each);
            }
        }
        return out;
    }
    for (const std::string& name : pieces_of(value)) {
        const server* const found = parse_server(option, name);
        if (std::ranges::find(out, found) != out.end()) {
            throw bench::option_error(option, value, "each name once");
        }
        out.push_back(found);
    }
    return out;
}

std::vector<std::uint64_t> parse_counts(const std::string& option, const std::string& value,
                                        std::uint64_t high) {
    std::vector<std::uint64_t> out;
    for (const std::string& piece : pieces_of(value)) {
        const std::uint64_t count = bench::parse_count(option, piece, 1, high);
        if (std::ranges::find(out, count) != out.end()) {
            throw bench::option_error(option, value, "each number once");
        }
        out.push_back(count);
    }
    return out;
}

double parse_number(const std::string& option, const std::string& value, double low, double high,
                    const char* rule) {
    const auto number = bench::number_in<double>(value);
    // Written so that it refuses what is not a number, too.
    if (!number || !(*number >= low && *number <= high)) {
        throw bench::option_error(option, value, rule);
    }
    return *number;
}

void interpret_shapes(const bench::raw_values& raw, options& out) {
    const auto counts = [&raw](const char* option, std::uint64_t high, const char* standard) {
        const auto found = raw.find(option);
        return parse_counts(option, found == raw.end() ? standard : found->second, high);
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

options interpret(const bench::raw_values& raw) {
    options out;
    const auto with = [&raw](const char* name, auto&& use) {
        if (const auto found = raw.find(name); found != raw.end()) {
            use(found->first, found->second);
        }
    };
    using text = const std::string&;
    out.quick = raw.contains("--quick");
    out.rounds = 5;
    out.servers = parse_servers("--servers", "all");
    with("--servers", [&out](text name, text value) { out.servers = parse_servers(name, value); });
    interpret_shapes(raw, out);
    with("--rounds", [&out](text name, text value) {
        out.rounds = bench::parse_count(name, value, 1, rounds_max);
    });
    with("--seconds", [&out](text name, text value) {
        out.seconds = parse_number(name, value, seconds_min, seconds_max, "0.01..600");
        out.seconds_given = true;
    });
    with("--rate", [&out](text name, text value) {
        out.rate = parse_number(name, value, 0, rate_max, "0..100000000");
    });
    with("--idle", [&out](text name, text value) {
        out.idle = bench::parse_count(name, value, 1, connections_max);
    });
    const auto file = [&with](const char* option, std::string& target) {
        with(option, [&target](text name, text value) {
            if (value.empty() || value.starts_with("--")) {
                throw bench::option_error(name, value, "the path of a file");
            }
            target = value;
        });
    };
    file("--json", out.json_path);
    file("--plot", out.plot_path);
    return out;
}

void print_list() {
    for (const server& each : catalog()) {
        std::printf("%-20s %s%s%s\n", std::string(each.name).c_str(),
                    std::string(each.about).c_str(),
                    each.missing.empty() ? "" : "; not built, missing: ",
                    std::string(each.missing).c_str());
    }
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
    bench::command_line line = described();
    try {
        const bench::raw_values raw = line.parse(argc, argv);
        if (raw.contains("--list")) {
            print_list();
            return {std::nullopt, 0};
        }
        return {interpret(raw), 0};
    } catch (const bench::help_wanted&) {
        std::printf("%s\n", line.help().c_str());
        return {std::nullopt, 0};
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo: %s\n", error.what());
        return {std::nullopt, 2};
    }
}

}  // namespace echo
