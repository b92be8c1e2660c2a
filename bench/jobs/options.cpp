#include "options.hpp"

#include <algorithm>
#include <array>

#include "../support/command_line.hpp"
#include "../support/option_values.hpp"

namespace jobs {
namespace {

constexpr const char* description =
    "Measures the job queue on this machine: a private redis-server on one core, producers and\n"
    "worker on another, and beside them a client by hand that sends the same commands, and RQ.\n"
    "Lists are separated by commas.\n";

constexpr const char* examples =
    "Examples:\n"
    "  jobs                                            everything, 3 rounds\n"
    "  jobs --quick --json jobs.json --svg jobs.svg    the same, shorter, within 50 s\n"
    "  jobs --phases submit_bulk,drain --durability off --threads 1\n"
    "\n"
    "Exit status: 0 done, 1 the server or a measurement failed, 2 bad option.";

constexpr std::array all_phases = {phase::submit_one, phase::submit_concurrent, phase::submit_bulk,
                                   phase::drain, phase::steady};
constexpr std::array all_clients = {client::weir, client::rq};
constexpr std::array all_kept = {durability::off, durability::everysec};
constexpr const char* client_rule = "all, or of weir, rq";
constexpr const char* phase_rule =
    "all, or of submit_one, submit_concurrent, submit_bulk, drain, steady";
constexpr const char* kept_rule = "all, or of off, everysec";
constexpr std::uint64_t threads_max = 64;
constexpr std::uint64_t jobs_max = 10'000'000;
constexpr std::uint64_t producers_max = 1'024;
constexpr std::uint64_t rounds_max = 1'000;
constexpr std::uint64_t rate_max = 10'000'000;

bench::command_line described() {
    bench::command_line line(description, "jobs", examples);
    line.add("--clients", "NAMES",
             std::string(client_rule) + " (default all); rq needs Debian's python3-rq");
    line.add("--phases", "NAMES",
             std::string(phase_rule) +
                 " (default all); steady without --rate needs submit_concurrent and drain, and "
                 "measures them too");
    line.add("--durability", "NAMES", std::string(kept_rule) + " (default all)");
    line.add("--threads", "COUNTS", "Threads of the worker, 1..64 (default 1,2)");
    line.add("--jobs", "COUNT", "Jobs of a backlog, 1..10000000 (default 400000; --quick 150000)");
    line.add("--producers", "COUNT",
             "Producers of submit_concurrent and steady, 1..1024 (default 50)");
    line.add("--rate", "COUNT",
             "Jobs a second of steady, 1..10000000 (default half of what producers and worker "
             "bear)");
    line.add("--rounds", "COUNT", "Rounds over everything, 1..1000 (default 3; --quick 5)");
    line.add("--seconds", "SECONDS",
             "Time of submit_one and submit_concurrent, 0.01..600 (default 1; --quick 0.3)");
    line.add("--steady-seconds", "SECONDS", "Time of steady, 0.01..600 (default 20; --quick 1.5)");
    line.add("--json", "FILE", "Write the figures as a JSON array");
    line.add("--svg", "FILE", "Draw the rates");
    line.add_flag("--quick", "End within 50 s; rounds may become fewer");
    return line;
}

// Those of `known` that the list names.
template <class Known>
auto parse_names(const std::string& option, const std::string& value, const Known& known,
                 const char* rule) {
    std::vector<typename Known::value_type> out;
    if (value == "all") {
        return decltype(out){known.begin(), known.end()};
    }
    for (const std::string& name : bench::pieces_of(value)) {
        const auto found =
            std::ranges::find_if(known, [&name](auto each) { return name_of(each) == name; });
        if (found == known.end()) {
            throw bench::option_error(option, name, rule);
        }
        bench::append_once(out, *found, option, value);
    }
    return out;
}

options interpret(const bench::raw_values& raw) {
    const auto value_or = [&raw](const char* option, const char* standard) {
        return bench::value_or(raw, option, standard);
    };
    const auto count = [&value_or](const char* option, const char* standard, std::uint64_t most) {
        return bench::parse_count(option, value_or(option, standard), 1, most);
    };
    options out;
    const bool quick = out.quick = raw.contains("--quick");
    out.clients = parse_names("--clients", value_or("--clients", "all"), all_clients, client_rule);
    out.phases = parse_names("--phases", value_or("--phases", "all"), all_phases, phase_rule);
    out.kept = parse_names("--durability", value_or("--durability", "all"), all_kept, kept_rule);
    out.threads = bench::parse_counts("--threads", value_or("--threads", "1,2"), threads_max);
    out.jobs = count("--jobs", quick ? "150000" : "400000", jobs_max);
    out.producers = count("--producers", "50", producers_max);
    out.rounds = count("--rounds", quick ? "5" : "3", rounds_max);
    out.seconds = bench::parse_seconds("--seconds", value_or("--seconds", quick ? "0.3" : "1"));
    out.steady_seconds = bench::parse_seconds("--steady-seconds",
                                              value_or("--steady-seconds", quick ? "1.5" : "20"));
    if (raw.contains("--rate")) {
        out.rate = count("--rate", "", rate_max);
    } else if (out.asks_for(phase::steady)) {
        for (const phase needed : {phase::submit_concurrent, phase::drain}) {
            if (!out.asks_for(needed)) {
                out.phases.push_back(needed);
            }
        }
    }
    out.json_path = bench::path_in(raw, "--json");
    out.svg_path = bench::path_in(raw, "--svg");
    return out;
}

}  // namespace

bool options::asks_for(phase of) const { return std::ranges::find(phases, of) != phases.end(); }
bool options::asks_for(client who) const {
    return std::ranges::find(clients, who) != clients.end();
}

parsed_options parse_options(int argc, const char* const* argv) {
    return bench::parse_command_line<options>("jobs", described(), argc, argv, interpret);
}

}  // namespace jobs
