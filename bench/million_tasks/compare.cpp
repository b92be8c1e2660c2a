#include "compare.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "../support/python.hpp"
#include "child.hpp"
#include "process.hpp"
#include "sampler.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

constexpr const char* baseline_name = "asyncio_semaphore";

// `run` has one task at a time: a million sleeps of 10 ms would take hours.
constexpr double one_by_one_s = 5;

// What a task costs beside its payload when all of them exist at once; generous on purpose.
constexpr std::uint64_t bytes_per_task = 700;
constexpr std::uint64_t bytes_per_python_task = 2'000;

std::filesystem::path own_path() {
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

class comparer {
  public:
    comparer(const options& asked, bench::output_file& csv, bool progress)
        : asked_(asked), csv_(csv), progress_(progress) {}

    comparison run() {
        csv_.write(csv_.wanted() ? sampler::csv_head : "");
        for (const std::string_view name : strategy_names()) {
            run_own(name);
        }
        run_baseline();
        return std::move(out_);
    }

  private:
    void run_own(std::string_view name) {
        const bool unbounded = name == "semaphore" || name == "task_group";
        if (out_.interrupted || (unbounded && !fits(name, bytes_per_task))) {
            return;
        }
        options mine = asked_;
        if (name == "run") {
            shorten(mine);
        }
        std::vector<std::string> arguments = {own_path().string()};
        std::ranges::move(workload_arguments(mine, name), std::back_inserter(arguments));
        run_and_read(name, std::move(arguments), csv_.wanted());
    }

    void run_baseline() {
        const std::string script = bench::find_script("scripts/asyncio_baseline.py");
        if (out_.interrupted || !fits(baseline_name, bytes_per_python_task)) {
            return;
        }
        if (script.empty() || asked_.manual_clock) {
            note(baseline_name, script.empty() ? "left out: scripts/asyncio_baseline.py not found"
                                               : "left out: asyncio has no simulated clock");
            return;
        }
        std::vector<std::string> arguments = {bench::find_python(), script};
        std::ranges::move(workload_arguments(asked_, baseline_name), std::back_inserter(arguments));
        run_and_read(baseline_name, std::move(arguments), false);
    }

    void run_and_read(std::string_view name, std::vector<std::string> arguments, bool rows) {
        const memory_file json("json");
        const memory_file csv("csv");
        arguments.insert(arguments.end(), {"--json", json.path()});
        if (rows) {
            arguments.insert(arguments.end(), {"--csv", csv.path()});
        }
        if (progress_) {
            arguments.emplace_back("--progress");  // what the child shows takes this line's place
            std::fprintf(stderr, "\r\033[Krunning %s ...", std::string(name).c_str());
        }
        child_status status;
        try {
            status = run_child(arguments);
        } catch (const std::system_error& error) {
            note(name, std::string("left out: ") + error.what());
            return;
        }
        if (progress_) {
            std::fputs("\r\033[K", stderr);
        }
        out_.interrupted = status.interrupted;
        const std::string written = json.contents();
        if (!written.empty()) {
            std::ranges::move(from_json(written), std::back_inserter(out_.reports));
            const std::string table = csv.contents();
            csv_.write(table.substr(std::min(table.find('\n') + 1, table.size())));
        }
        if (status.exit_code != 0 && !status.interrupted) {
            note(name, "failed with exit status " + std::to_string(status.exit_code));
            out_.failed = true;
        }
    }

    // Whether all tasks of a strategy without a bound have room in memory at once.
    bool fits(std::string_view name, std::uint64_t each) {
        const std::uint64_t wanted = asked_.tasks * (each + asked_.payload_bytes);
        const std::uint64_t available = available_bytes();
        if (available != 0 && wanted > available / 10 * 9) {
            note(name, "left out: it would need about " + mebibytes_text(wanted) + ", and " +
                           mebibytes_text(available) + " are free");
            return false;
        }
        return true;
    }

    void shorten(options& mine) {
        const double straggling = mine.straggler_every == 0
                                      ? 0
                                      : std::chrono::duration<double>(mine.straggler).count() /
                                            static_cast<double>(mine.straggler_every);
        const double each = std::chrono::duration<double>(mine.sleep).count() + straggling;
        const double whole = each * static_cast<double>(mine.tasks);
        if (!mine.manual_clock && whole > one_by_one_s) {
            mine.tasks =
                std::max<std::uint64_t>(1, static_cast<std::uint64_t>(one_by_one_s / each));
            note("run", "only " + with_separators(mine.tasks) + " tasks; all would take " +
                            with_separators(static_cast<std::uint64_t>(whole)) + " s, one by one");
        }
    }

    void note(std::string_view name, const std::string& text) {
        out_.notes.push_back(std::string(name) + ": " + text);
    }

    const options& asked_;
    bench::output_file& csv_;
    bool progress_;
    comparison out_;
};

}  // namespace

comparison compare(const options& asked, bench::output_file& csv, bool progress) {
    return comparer(asked, csv, progress).run();
}

}  // namespace million_tasks
