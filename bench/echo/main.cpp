// echo: what a TCP echo server costs, ours and others. See README.md in this folder.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "../support/machine.hpp"
#include "../support/output_file.hpp"
#include "../support/values.hpp"
#include "campaign.hpp"
#include "options.hpp"
#include "report.hpp"

namespace echo {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_bad_option = 2;

// Every connection is a descriptor here and one in the server, which inherits the limit.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int run(const options& asked) {
    bench::output_file json("--json", asked.json_path);
    bench::output_file plot("--plot", asked.plot_path);
    raise_descriptor_limit();
    // Before this process keeps to one core.
    const std::string machine = bench::machine_text(bench::this_machine());
    const outcome result = run_campaign(asked, isatty(STDERR_FILENO) != 0);
    json.write(to_json(result.rows));
    if (plot.wanted()) {
        plot.write(rows_plot(result.rows, asked.rate, machine));
    }
    json.close();
    plot.close();
    std::fputs(tables_text(result.rows, asked.rate, machine).c_str(), stdout);
    for (const std::string& note : result.notes) {
        std::fprintf(result.failed ? stderr : stdout, "%s\n", note.c_str());
    }
    if (plot.wanted()) {
        std::printf("\nThe picture is in %s\n", plot.path().c_str());
    }
    return result.failed ? exit_failed : 0;
}

}  // namespace
}  // namespace echo

int main(int argc, char** argv) {
    const echo::parsed_options parsed = echo::parse_options(argc, argv);
    if (!parsed.value) {
        return parsed.exit_code;
    }
    try {
        return echo::run(*parsed.value);
    } catch (const bench::option_error& error) {
        std::fprintf(stderr, "echo: %s\n", error.what());
        return echo::exit_bad_option;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo: %s\n", error.what());
        return echo::exit_failed;
    }
}
