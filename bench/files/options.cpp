#include "options.hpp"

#include <sys/stat.h>

#include "../support/option_values.hpp"

namespace files {
namespace {

constexpr const char* description =
    "Measures file I/O on this machine: copying a file that stands in the page cache, beside cp,\n"
    "and reading blocks of 4 KiB at random, beside a plain loop on liburing. All are measured in\n"
    "turn, round after round.\n";

constexpr const char* examples =
    "Examples:\n"
    "  files                               1 GiB, a million reads, 5 rounds\n"
    "  files --quick --json files.json     within seconds\n"
    "  files --work read --depth 1\n"
    "\n"
    "Exit status: 0 done, 1 something failed, 2 bad option.";

constexpr std::uint64_t mebibyte = 1U << 20;
constexpr std::uint64_t size_max = std::uint64_t{1} << 40;
constexpr std::uint64_t reads_max = 1'000'000'000;
constexpr std::uint64_t depth_max = 1024;
constexpr std::uint64_t rounds_max = 1000;
constexpr const char* work_rule = "copy, read or all";

bench::command_line described() {
    bench::command_line line(description, "files", examples);
    line.add("--work", "WHAT", "copy, read or all (default all)");
    line.add("--size", "MIB", "Mebibytes of the file, 1..1048576 (default 1024)");
    line.add("--reads", "COUNT", "Reads of a round, 1..1000000000 (default 1000000)");
    line.add("--depth", "COUNT", "Reads under way at a time, 1..1024 (default 64)");
    line.add("--rounds", "COUNT", "Rounds over all, 1..1000 (default 5)");
    line.add("--folder", "FOLDER", "Where the files are made, an existing folder (default .)");
    line.add("--json", "FILE", "Write the figures as a JSON array, one object per work and who");
    line.add_flag("--quick", "64 MiB, 100000 reads, 3 rounds where nothing else is asked for");
    return line;
}

void interpret_work(const std::string& name, const std::string& value, options& out) {
    if (value != "copy" && value != "read" && value != "all") {
        throw bench::option_error(name, value, work_rule);
    }
    out.copies = value != "read";
    out.reads_at_random = value != "copy";
}

void interpret_folder(const std::string& name, const std::string& value, options& out) {
    struct stat status{};
    if (stat(value.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        throw bench::option_error(name, value, "an existing folder");
    }
    out.folder = value;
}

options interpret(const bench::raw_values& raw) {
    options out;
    if (raw.contains("--quick")) {
        out.file_bytes = 64 * mebibyte;
        out.reads = 100'000;
        out.rounds = 3;
    }
    for (const auto& [name, value] : raw) {
        if (name == "--work") {
            interpret_work(name, value, out);
        } else if (name == "--size") {
            out.file_bytes = bench::parse_count(name, value, 1, size_max / mebibyte) * mebibyte;
        } else if (name == "--reads") {
            out.reads = bench::parse_count(name, value, 1, reads_max);
        } else if (name == "--depth") {
            out.depth = bench::parse_count(name, value, 1, depth_max);
        } else if (name == "--rounds") {
            out.rounds = bench::parse_count(name, value, 1, rounds_max);
        } else if (name == "--folder") {
            interpret_folder(name, value, out);
        }
    }
    out.json_path = bench::path_in(raw, "--json");
    return out;
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
    return bench::parse_command_line<options>("files", described(), argc, argv, interpret);
}

}  // namespace files
