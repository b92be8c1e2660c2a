// resp: what a Redis client costs, ours and others, and its parser. See README.md in this folder.
#include <unistd.h>

#include "../support/machine.hpp"
#include "../support/program.hpp"
#include "campaign.hpp"
#include "options.hpp"
#include "report.hpp"

namespace resp {
namespace {

int run(const options& asked) {
    bench::result_files results(asked.json_path, "--svg", asked.svg_path);
    outcome result = run_campaign(asked, isatty(STDERR_FILENO) != 0);
    report& found = result.figures;
    found.machine = bench::machine_text(bench::this_machine());
    return results.finish({.json = to_json(found),
                           .tables = tables_text(found),
                           .picture = [&found] { return picture(found); },
                           .notes = std::move(result.notes),
                           .failed = result.failed});
}

}  // namespace
}  // namespace resp

int main(int argc, char** argv) {
    return bench::run_program("resp", resp::parse_options(argc, argv), resp::run);
}
