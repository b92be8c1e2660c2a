// million_tasks: what a great many small tasks cost, with a pool and with what one would use
// instead. See README.md in this folder.
#include <unistd.h>

#include <cstdio>

#include "../support/output_file.hpp"
#include "../support/program.hpp"
#include "compare.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "plot.hpp"
#include "report.hpp"

namespace million_tasks {
namespace {

using bench::exit_failed;
constexpr int exit_interrupted = 130;

struct outputs {
    explicit outputs(const options& asked)
        : json("--json", asked.json_path),
          csv("--csv", asked.csv_path),
          plot("--plot", asked.plot_path) {}

    void close() {
        json.close();
        csv.close();
        plot.close();
    }

    bench::output_file json;
    bench::output_file csv;
    bench::output_file plot;
};

void say(const options& asked, const std::string& text) {
    if (!asked.quiet) {
        std::fputs(text.c_str(), stdout);
    }
}

int run_one(const options& asked, outputs& files, bool progress) {
    const measured result = measure(asked, files.csv, progress, files.plot.wanted());
    if (files.json.wanted()) {
        files.json.write(to_json({result.figures}));
    }
    if (files.plot.wanted()) {
        files.plot.write(run_plot(result.figures, result.points));
    }
    files.close();
    say(asked, details_text(result.figures));
    if (result.figures.interrupted()) {
        return exit_interrupted;
    }
    return result.figures.complete() ? 0 : exit_failed;
}

int run_all(const options& asked, outputs& files, bool progress) {
    const comparison result = compare(asked, files.csv, progress);
    if (files.json.wanted()) {
        files.json.write(to_json(result.reports));
    }
    if (files.plot.wanted()) {
        files.plot.write(comparison_plot(result.reports));
    }
    files.close();
    say(asked, table_text(result.reports));
    for (const std::string& note : result.notes) {
        say(asked, note + "\n");
    }
    if (result.interrupted) {
        return exit_interrupted;
    }
    return result.failed ? exit_failed : 0;
}

int run(const options& asked) {
    outputs files(asked);
    const bool progress = (!asked.quiet || asked.progress) && isatty(STDERR_FILENO) != 0;
    const int status =
        asked.strategy == "all" ? run_all(asked, files, progress) : run_one(asked, files, progress);
    if (files.plot.wanted()) {
        say(asked, "\nThe picture is in " + files.plot.path() + "\n");
    }
    return status;
}

}  // namespace
}  // namespace million_tasks

int main(int argc, char** argv) {
    return bench::run_program("million_tasks", million_tasks::parse_options(argc, argv),
                              million_tasks::run);
}
