// files: what file I/O costs, ours beside cp and beside liburing by hand. See README.md in this
// folder.
#include <algorithm>

#include "../support/machine.hpp"
#include "../support/program.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"
#include "sample_file.hpp"

namespace files {
namespace {

using copy_function = figures (*)(const sample_file&, const std::string&);

figures checked_copy(copy_function copy, const sample_file& from) {
    const std::string to = from.path() + "_copy";
    const figures out = copy(from, to);
    from.check_and_remove_copy(to);
    return out;
}

// Round after round, each round beginning with another one.
std::vector<row> measure(const sample_file& sample, const options& asked) {
    std::vector<row> rows;
    const auto add = [&](const char* work, const char* who, std::uint64_t bytes,
                         std::uint64_t operations, std::uint64_t depth) {
        rows.push_back({work, who, bytes, operations, depth, {}});
    };
    if (asked.copies) {
        add("copy", "weir", asked.file_bytes, 1, 1);
        add("copy", "cp", asked.file_bytes, 1, 1);
    }
    if (asked.reads_at_random) {
        add("random_read", "weir", asked.reads * block_bytes, asked.reads, asked.depth);
        add("random_read", "liburing", asked.reads * block_bytes, asked.reads, asked.depth);
    }
    for (std::uint64_t round = 0; round < asked.rounds; ++round) {
        for (std::size_t step = 0; step < rows.size(); ++step) {
            row& each = rows[(step + round) % rows.size()];
            const std::string name = std::string(each.work) + " " + each.who;
            each.rounds.push_back(name == "copy weir"          ? checked_copy(&copy_by_weir, sample)
                                  : name == "copy cp"          ? checked_copy(&copy_by_cp, sample)
                                  : name == "random_read weir" ? read_by_weir(sample, asked)
                                                               : read_by_liburing(sample, asked));
        }
    }
    return rows;
}

int run(const options& asked) {
    bench::result_files results(asked.json_path);
    const std::string machine = bench::machine_text(bench::this_machine());
    const sample_file sample(asked.folder, asked.file_bytes);
    const std::vector<row> rows = measure(sample, asked);
    bench::result_files::content found;
    found.json = to_json(rows, asked);
    found.tables = tables_text(rows, machine);
    return results.finish(found);
}

}  // namespace
}  // namespace files

int main(int argc, char** argv) {
    return bench::run_program("files", files::parse_options(argc, argv), files::run);
}
