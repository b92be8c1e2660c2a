// jobs: what a job costs to submit, to keep and to run. See README.md in this folder.
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "../support/machine.hpp"
#include "../support/output_file.hpp"
#include "../support/values.hpp"
#include "campaign.hpp"
#include "options.hpp"
#include "report.hpp"

namespace jobs {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_bad_option = 2;

int run(const options& asked) {
    bench::output_file json("--json", asked.json_path);
    bench::output_file svg("--svg", asked.svg_path);
    outcome result = run_campaign(asked, isatty(STDERR_FILENO) != 0);
    result.figures.machine = bench::machine_text(bench::this_machine());
    json.write(to_json(result.figures));
    if (svg.wanted()) {
        svg.write(picture(result.figures));
    }
    json.close();
    svg.close();
    std::fputs(tables_text(result.figures).c_str(), stdout);
    for (const std::string& note : result.notes) {
        std::fprintf(result.failed ? stderr : stdout, "%s\n", note.c_str());
    }
    if (svg.wanted()) {
        std::printf("\nThe picture is in %s\n", svg.path().c_str());
    }
    return result.failed ? exit_failed : 0;
}

}  // namespace
}  // namespace jobs

int main(int argc, char** argv) {
    const jobs::parsed_options parsed = jobs::parse_options(argc, argv);
    if (!parsed.value) {
        return parsed.exit_code;
    }
    try {
        return jobs::run(*parsed.value);
    } catch (const bench::option_error& error) {
        std::fprintf(stderr, "jobs: %s\n", error.what());
        return jobs::exit_bad_option;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "jobs: %s\n", error.what());
        return jobs::exit_failed;
    }
}
