#include "options.hpp"

#include <algorithm>

#include "../support/option_values.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

constexpr const char* description =
    "Runs a great many small tasks, each with a payload of its own, and measures what that costs\n"
    "in time and memory. Strategies:\n"
    "  pool        a weir::pool: bounded concurrency, bounded queue, the producer waits\n"
    "  semaphore   all tasks spawned at once, each waits for a permit of a weir::semaphore\n"
    "  task_group  all tasks spawned at once, no limit\n"
    "  batches     groups of --concurrency tasks, the next starts when the last one has ended\n"
    "  queue       a hand-written producer, a weir::channel and --concurrency consumers\n"
    "  run         one task at a time through the pool, each awaited\n"
    "  all         each of these in a process of its own, and the same in Python's asyncio\n";

constexpr const char* examples =
    "Examples:\n"
    "  million_tasks                                     every strategy, a million tasks each\n"
    "  million_tasks --strategy pool --tasks 100000000 --payload 0\n"
    "  million_tasks --strategy pool --sleep 10ms --plot memory.svg\n"
    "  million_tasks --strategy pool --sleep 5s --clock manual\n"
    "  million_tasks --tasks 100000 --sleep 1ms --straggler 500ms:5000\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 bad option, 130 interrupted (what was measured is printed).";

std::string strategy_list() {
    std::string list;
    for (const std::string_view name : strategy_names()) {
        list += std::string(name) + ", ";
    }
    return list + "all";
}

bench::command_line described() {
    bench::command_line line(description, "million_tasks", examples);
    line.add("--strategy", "NAME", strategy_list() + " (default all)");
    line.add("--tasks", "COUNT", "1..10000000000 (default 1000000)");
    line.add("--concurrency", "COUNT", "Tasks running at a time, 1..16777216 (default 1000)");
    line.add("--queue", "COUNT", "Tasks waiting at a time, 0..16777216 (default 10000)");
    line.add(
        "--payload", "BYTES",
        "Text that each task is given, 0..1048576 (default 400); 0: a number in, a number out");
    line.add("--sleep", "DURATION",
             "Each task sleeps: 0s, 500us, 10ms, 5s, up to 24h (default 0s)");
    line.add("--straggler", "DURATION:EVERY", "One task in EVERY sleeps for DURATION instead");
    line.add("--clock", "CLOCK",
             "real, or manual: sleeping takes no time, the clock jumps (default real)");
    line.add("--json", "FILE", "Write the figures as a JSON array, one object per strategy");
    line.add("--csv", "FILE", "Write time, finished tasks, memory and CPU every 100 ms");
    line.add("--plot", "FILE.svg", "Draw memory and progress over time; for all, a comparison");
    line.add_flag("--quiet", "Print nothing but errors");
    line.add_flag("--progress", "With --quiet: the progress line all the same, on a terminal");
    return line;
}

options interpret(const bench::raw_values& raw) {
    options out;
    const auto with = [&raw](const std::string& name, auto&& use) {
        if (const auto found = raw.find(name); found != raw.end()) {
            use(name, found->second);
        }
    };
    with("--strategy", [&out](const std::string& name, const std::string& value) {
        if (value != "all" &&
            std::ranges::find(strategy_names(), value) == strategy_names().end()) {
            throw option_error(name, value, strategy_list());
        }
        out.strategy = value;
    });
    const auto count = [&with](const std::string& option, std::uint64_t low, std::uint64_t high,
                               std::uint64_t& target) {
        with(option, [&](const std::string& name, const std::string& value) {
            target = parse_count(name, value, low, high);
        });
    };
    count("--tasks", 1, tasks_max, out.tasks);
    count("--concurrency", 1, concurrency_max, out.concurrency);
    count("--queue", 0, queue_max, out.queue);
    count("--payload", 0, payload_bytes_max, out.payload_bytes);
    with("--sleep", [&out](const std::string& name, const std::string& value) {
        out.sleep = parse_duration(name, value);
    });
    with("--straggler", [&out](const std::string& name, const std::string& value) {
        const straggler_value parsed = parse_straggler(name, value);
        out.straggler = parsed.duration;
        out.straggler_every = parsed.every;
    });
    with("--clock", [&out](const std::string& name, const std::string& value) {
        if (value != "real" && value != "manual") {
            throw option_error(name, value, "real, manual");
        }
        out.manual_clock = value == "manual";
    });
    out.json_path = bench::path_in(raw, "--json");
    out.csv_path = bench::path_in(raw, "--csv");
    out.plot_path = bench::path_in(raw, "--plot");
    out.quiet = raw.contains("--quiet");
    out.progress = raw.contains("--progress");
    return out;
}

}  // namespace

const std::vector<std::string_view>& strategy_names() {
    static const std::vector<std::string_view> names = {"pool",    "semaphore", "task_group",
                                                        "batches", "queue",     "run"};
    return names;
}

parsed_options parse_options(int argc, const char* const* argv) {
    return bench::parse_command_line<options>("million_tasks", described(), argc, argv, interpret);
}

std::vector<std::string> workload_arguments(const options& from, std::string_view strategy) {
    std::vector<std::string> arguments = {"--strategy",    std::string(strategy),
                                          "--tasks",       std::to_string(from.tasks),
                                          "--concurrency", std::to_string(from.concurrency),
                                          "--queue",       std::to_string(from.queue),
                                          "--payload",     std::to_string(from.payload_bytes),
                                          "--sleep",       duration_text(from.sleep),
                                          "--clock",       from.manual_clock ? "manual" : "real",
                                          "--quiet"};
    if (from.straggler_every != 0) {
        arguments.insert(arguments.end(),
                         {"--straggler", duration_text(from.straggler) + ":" +
                                             std::to_string(from.straggler_every)});
    }
    return arguments;
}

}  // namespace million_tasks
