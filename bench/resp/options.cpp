#include "options.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "../support/command_line.hpp"
#include "../support/values.hpp"

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
    line.add("--clients", "NAMES", "all, or of " + built_names() + " (default all)");
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

std::vector<std::string> pieces_of(const std::string& list) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = list.find(',', begin);
        out.push_back(list.substr(begin, end - begin));
    }
    return out;
}

template <class Item>
void append_once(std::vector<Item>& out, Item item, const std::string& option,
                 const std::string& value) {
    if (std::ranges::find(out, item) != out.end()) {
        throw bench::option_error(option, value, "each once");
    }
    out.push_back(std::move(item));
}

std::vector<const client*> parse_clients(const std::string& option, const std::string& value) {
    std::vector<const client*> out;
    if (value == "all") {
        for (const client& each : catalog()) {
            if (each.missing.empty()) {
                out.push_back(&each);
            }
        }
        return out;
    }
    for (const std::string& name : pieces_of(value)) {
        const client* const found = find_client(name);
        if (found == nullptr) {
            throw bench::option_error(option, name, "all, or of " + built_names());
        }
        if (!found->missing.empty()) {
            std::string text = option;
            text.append(": '").append(name).append("' was not built, since ");
            text.append(found->missing).append(" was missing; allowed: all, or of ");
            throw bench::option_error(text + built_names());
        }
        append_once(out, found, option, value);
    }
    return out;
}

std::vector<std::string> parse_cases(const std::string& option, const std::string& value) {
    if (value == "all") {
        return {case_names.begin(), case_names.end()};
    }
    std::vector<std::string> out;
    for (const std::string& name : pieces_of(value)) {
        if (std::ranges::find(case_names, name) == case_names.end()) {
            throw bench::option_error(option, name, case_rule);
        }
        append_once(out, name, option, value);
    }
    return out;
}

std::vector<std::uint64_t> parse_depths(const std::string& option, const std::string& value) {
    std::vector<std::uint64_t> out;
    for (const std::string& piece : pieces_of(value)) {
        append_once(out, bench::parse_count(option, piece, 1, depth_max), option, value);
    }
    return out;
}

double parse_seconds(const std::string& option, const std::string& value) {
    const auto number = bench::number_in<double>(value);
    // Written so that it refuses what is not a number, too.
    if (!number || !(*number >= seconds_min && *number <= seconds_max)) {
        throw bench::option_error(option, value, "0.01..600");
    }
    return *number;
}

std::string parse_path(const std::string& option, const std::string& value) {
    if (value.empty() || value.starts_with("--")) {
        throw bench::option_error(option, value, "the path of a file");
    }
    return value;
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

options interpret(const bench::raw_values& raw) {
    options out;
    const auto value_or = [&raw](const char* option, const char* standard) {
        const auto found = raw.find(option);
        return found == raw.end() ? std::string(standard) : found->second;
    };
    out.quick = raw.contains("--quick");
    out.seconds_given = raw.contains("--seconds");
    out.clients = parse_clients("--clients", value_or("--clients", "all"));
    const std::vector<std::string> cases = parse_cases("--cases", value_or("--cases", "all"));
    out.shapes = shapes_of(cases, parse_depths("--depth", value_or("--depth", "1,16,64,256,1024")),
                           parse_depths("--callers", value_or("--callers", "50")));
    out.parsers = std::ranges::find(cases, "parser") != cases.end();
    out.rounds = bench::parse_count("--rounds", value_or("--rounds", "5"), 1, rounds_max);
    out.seconds = parse_seconds("--seconds", value_or("--seconds", "0.5"));
    if (raw.contains("--json")) {
        out.json_path = parse_path("--json", raw.at("--json"));
    }
    if (raw.contains("--svg")) {
        out.svg_path = parse_path("--svg", raw.at("--svg"));
    }
    return out;
}

void print_list() {
    for (const client& each : catalog()) {
        std::printf("%-16s %s%s%s\n", std::string(each.name).c_str(),
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
        std::fprintf(stderr, "resp: %s\n", error.what());
        return {std::nullopt, 2};
    }
}

}  // namespace resp
