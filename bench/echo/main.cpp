// echo: what a TCP echo server costs, ours and others. See README.md in this folder.
#include <sys/resource.h>
#include <unistd.h>

#include "../support/machine.hpp"
#include "../support/program.hpp"
#include "campaign.hpp"
#include "options.hpp"
#include "report.hpp"

namespace echo {
namespace {

// Every connection is a descriptor here and one in the server, which inherits the limit.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int run(const options& asked) {
    bench::result_files results(asked.json_path, "--plot", asked.plot_path);
    raise_descriptor_limit();
    // Before this process keeps to one core.
    const std::string machine = bench::machine_text(bench::this_machine());
    outcome result = run_campaign(asked, isatty(STDERR_FILENO) != 0);
    const std::vector<row>& rows = result.rows;
    return results.finish({.json = to_json(rows),
                           .tables = tables_text(rows, asked.rate, machine),
                           .picture = [&] { return rows_plot(rows, asked.rate, machine); },
                           .notes = std::move(result.notes),
                           .failed = result.failed});
}

}  // namespace
}  // namespace echo

int main(int argc, char** argv) {
    return bench::run_program("echo", echo::parse_options(argc, argv), echo::run);
}
