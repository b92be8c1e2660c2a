#include "options.hpp"

#include <algorithm>
#include <array>

#include "../support/catalog.hpp"
#include "../support/option_values.hpp"

namespace resp {
namespace {

constexpr const char* description =
    "Measures Redis clients on this machine: a private redis-server on one core, each client alone "
    "in\n"
    "a process on another; all are measured in turn, round after round. Lists are separated by\n"
    "commas, and every combination is measured.\n";

constexpr const char* examples =
    "Examples:\n"
    "  resp                                            everything, 5 rounds\n"
    "  resp --quick --json resp.json --svg resp.svg    the same within 50 s\n"
    "  resp --clients raw,weir --cases pipeline --depth 64,256\n"
    "\n"
    "Exit status: 0 done, 1 the server or a client failed, 2 bad option.";

constexpr const char* case_rule = "all, or of pipeline, callers, big, parser";
constexpr std::array<std::string_view, 4> case_names = {"pipeline", "callers", "big", "parser"};

bench::command_line described() {
    bench::command_line line(description, "resp", examples);
    line.add("--clients", "NAMES",
             "all, or of " + bench::built_names(catalog()) + " (default all)");
    line.add("--cases", "NAMES", std::string(case_rule) + " (default all)");
    line.add(
        "--depth", "COUNTS",
        "Commands of a pipeline, 1..1024 (default 1,16,64,256,1024); 1024 is a sliding window");
    line.add("--callers", "COUNTS", "Concurrent callers, 1..1024 (default 50)");
    line.add("--rounds", "COUNT", "Rounds over everything, 1..1000 (default 5)");
    line.add("--seconds", "SECONDS",
             "Time of each measurement, 0.01..600 (default 0.5, with --quick what fits)");
    line.add("--json", "FILE", "Write the figures as a JSON array");
    line.add("--svg", "FILE", "Draw client CPU an operation");
    line.add_flag("--quick", "End within 50 s, whatever is asked for; rounds may become fewer");
    line.add_flag("--list", "Print the clients and exit");
    return line;
}

std::vector<std::string> parse_cases(const std::string& option, const std::string& value) {
    if (value == "all") {
        return {case_names.begin(), case_names.end()};
    }
    std::vector<std::string> out;
    for (const std::string& name : bench::pieces_of(value)) {
        if (std::ranges::find(case_names, name) == case_names.end()) {
            throw bench::option_error(option, name, case_rule);
        }
        bench::append_once(out, name, option, value);
    }
    return out;
}

std::vector<shape> shapes_of(const std::vector<std::string>& cases,
                             const std::vector<std::uint64_t>& depths,
                             const std::vector<std::uint64_t>& callers) {
    std::vector<shape> out;
    const auto with = [&cases](std::string_view name) {
        return std::ranges::find(cases, name) != cases.end();
    };
    for (const operation op : {operation::set, operation::get}) {
        for (const std::uint64_t depth : with("pipeline") ? depths : std::vector<std::uint64_t>()) {
            out.push_back({.op = op, .how = mode::pipeline, .depth = depth});
        }
        for (const std::uint64_t depth : with("callers") ? callers : std::vector<std::uint64_t>()) {
            out.push_back({.op = op, .how = mode::callers, .depth = depth});
        }
    }
    if (with("big")) {
        out.push_back({.op = operation::lrange, .how = mode::pipeline, .depth = 1});
        out.push_back({.op = operation::get_big, .how = mode::pipeline, .depth = 1});
    }
    return out;
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
    out.clients = bench::parse_entries(catalog(), "--clients", value_or("--clients", "all"));
    const std::vector<std::string> cases = parse_cases("--cases", value_or("--cases", "all"));
    out.shapes = shapes_of(
        cases, bench::parse_counts("--depth", value_or("--depth", "1,16,64,256,1024"), depth_max),
        bench::parse_counts("--callers", value_or("--callers", "50"), depth_max));
    out.parsers = std::ranges::find(cases, "parser") != cases.end();
    out.rounds = bench::parse_count("--rounds", value_or("--rounds", "5"), 1, rounds_max);
    out.seconds = bench::parse_seconds("--seconds", value_or("--seconds", "0.5"));
    out.json_path = bench::path_in(raw, "--json");
    out.svg_path = bench::path_in(raw, "--svg");
    return out;
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
    return bench::parse_command_line<options>("resp", described(), argc, argv, interpret);
}

}  // namespace resp
