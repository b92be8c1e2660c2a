#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <weir/redisq/detail/duration_text.hpp>
#include <weir/redisq/jobs/detail/job_link.hpp>
#include <weir/redisq/jobs/keys.hpp>

namespace weirq {
namespace {

namespace redisq = weir::redisq;
using namespace std::chrono_literals;

constexpr const char* purpose =
    "Looks at the job queues of a Redis server, and mends them.\n"
    "\n"
    "The server is that of --url, else of the environment's WEIR_REDIS_URL, which other users of\n"
    "the machine do not see, else redis://localhost. Exit status: 0 done; 1 failed, or no such\n"
    "job; 2 bad options.";

// What is wrong with the value of an option; says which itself.
class bad_value : public std::runtime_error {
  public:
    bad_value(const std::string& name, const std::string& value, const std::string& allowed)
        : std::runtime_error(name + " is '" + value + "'; allowed: " + allowed) {}
};

std::uint64_t number(const std::string& name, const std::string& text, std::uint64_t min,
                     std::uint64_t max) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < min || value > max) {
        throw bad_value(name, text, std::to_string(min) + " to " + std::to_string(max));
    }
    return value;
}

weir::duration length(const std::string& name, const std::string& text, weir::duration min,
                      weir::duration max) {
    const auto value = redisq::detail::parse_duration(text);
    if (!value || *value < min || *value > max) {
        throw bad_value(name, text,
                        redisq::detail::duration_text(min) + " to " +
                            redisq::detail::duration_text(max) + ", " +
                            std::string(redisq::detail::duration_text_allowed));
    }
    return *value;
}

template <class T>
T choice(const std::string& name, const std::string& text,
         std::initializer_list<std::pair<const char*, T>> values) {
    std::string allowed;
    for (const auto& [word, value] : values) {
        if (text == word) {
            return value;
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    }
    throw bad_value(name, text, allowed);
}

// The words of a command line, before they are judged.
struct raw_words {
    std::string url, password_file, state, limit, format, lane, delay, timeout, what, interval,
        rounds, jobs, payload_bytes, concurrency;
    bool has_queue = false;
};

void describe_common(CLI::App& app, settings& out, raw_words& raw) {
    app.add_option("--url", raw.url,
                   "redis://, rediss://, unix:// or redis+sentinel://; several hosts: a cluster");
    app.add_flag("--cluster", out.is_cluster, "the URL's host is a node of a cluster");
    app.add_option("--password-file", raw.password_file, "whose first line is the password");
    app.add_option("--queue", out.queue, "a queue's name (default: default)");
    app.add_flag("--json", out.as_json, "print JSON");
    app.set_version_flag("--version", std::string("weirq ") + WEIR_VERSION);
}

void describe_jobs(CLI::App& app, settings& out, raw_words& raw) {
    CLI::App* const stats = app.add_subcommand("stats", "Count the jobs of a queue");
    stats->add_flag("--all", out.all, "of every queue of the server; looks at all its keys");
    CLI::App* const ls = app.add_subcommand("ls", "List jobs");
    ls->add_option("STATE", raw.state, "waiting (default), running, delayed or dead");
    ls->add_option("--limit", raw.limit, "how many, 1 to 10000 (default 50)");
    CLI::App* const dead = app.add_subcommand("dead", "List dead jobs, the last first");
    dead->add_option("--limit", raw.limit, "how many, 1 to 10000 (default 50)");
    CLI::App* const show = app.add_subcommand("show", "Show a job with its payload and history");
    show->add_option("ID", out.id)->required();
    CLI::App* const retry = app.add_subcommand("retry", "Queue a dead job again");
    retry->add_option("ID", out.id);
    retry->add_flag("--all", out.all, "all dead jobs");
    CLI::App* const kill = app.add_subcommand("kill", "Cancel a job, or remove a dead one");
    kill->add_option("ID", out.id)->required();
    CLI::App* const purge = app.add_subcommand("purge", "Remove jobs for good");
    purge->add_option("WHAT", raw.what, "waiting (and delayed), dead or everything")->required();
    purge->add_flag("--yes", out.is_confirmed, "do not ask");
}

void describe_others(CLI::App& app, settings& out, raw_words& raw) {
    CLI::App* const enqueue = app.add_subcommand("enqueue", "Submit a job");
    enqueue->add_option("TYPE", out.type, "of the job")->required();
    enqueue->add_option("PAYLOAD", out.payload, "or -, to read it from standard input");
    enqueue->add_option("--format", raw.format, "of the payload: json (default) or raw");
    enqueue->add_option("--lane", raw.lane, "priority, 0 (urgent) to 3 (default 1)");
    enqueue->add_option("--delay", raw.delay, "not before so long from now, up to 3650d");
    enqueue->add_option("--timeout", raw.timeout, "of each run, 1ms to 365d");
    enqueue->add_option("--unique", out.unique, "only if no other job holds this key");
    app.add_subcommand("pause", "Let workers claim nothing more");
    app.add_subcommand("resume", "Let them go on");
    app.add_subcommand("workers", "List the workers of a queue");
    CLI::App* const top = app.add_subcommand("top", "Show a queue's counts and rates, live");
    top->add_option("--interval", raw.interval, "100ms to 1h (default 1s)");
    top->add_option("--count", raw.rounds, "rounds, 1 to 1000000 (default: until Ctrl-C)");
    CLI::App* const bench =
        app.add_subcommand("bench", "Enqueue and drain jobs on a queue of its own");
    bench->add_option("--jobs", raw.jobs, "1 to 10000000 (default 20000)");
    bench->add_option("--payload", raw.payload_bytes, "bytes, 0 to 65536 (default 100)");
    bench->add_option("--concurrency", raw.concurrency, "1 to 100000 (default 1000)");
}

redisq::client_options read_server(const raw_words& raw, bool has_url) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing has started a thread yet
    const char* const from_environment = std::getenv("WEIR_REDIS_URL");
    const bool in_environment = from_environment != nullptr && *from_environment != '\0';
    redisq::client_options server;
    try {
        server = redisq::client_options(has_url          ? std::string_view(raw.url)
                                        : in_environment ? std::string_view(from_environment)
                                                         : "redis://localhost");
    } catch (const std::invalid_argument& problem) {
        throw std::runtime_error((has_url ? "--url: " : "WEIR_REDIS_URL: ") +
                                 std::string(problem.what()));
    }
    if (!raw.password_file.empty()) {
        std::ifstream file(raw.password_file);
        std::string line;
        if (!std::getline(file, line)) {
            throw bad_value("--password-file", raw.password_file, "a file with a line in it");
        }
        server.server.password = line;
    }
    if (server.client_name.empty()) {
        server.client_name = "weirq";
    }
    server.connect_attempts = 1;  // tell at once what is wrong
    return server;
}

void judge_enqueue(settings& out, const raw_words& raw) {
    if (out.type.empty() || out.type.size() > redisq::type_name_max) {
        throw bad_value("TYPE", out.type, "1 to 255 bytes");
    }
    if (!raw.format.empty()) {
        out.format = choice<redisq::payload_format>(
            "--format", raw.format,
            {{"json", redisq::payload_format::json}, {"raw", redisq::payload_format::raw}});
    }
    if (!raw.lane.empty()) {
        out.lane = static_cast<int>(number("--lane", raw.lane, 0, redisq::lane_count - 1));
    }
    if (!raw.delay.empty()) {
        out.delay = length("--delay", raw.delay, 0s, std::chrono::days(3650));
    }
    if (!raw.timeout.empty()) {
        out.timeout = length("--timeout", raw.timeout, 1ms, std::chrono::days(365));
    }
    if (out.unique.size() > 256) {
        throw bad_value("--unique", out.unique, "1 to 256 bytes");
    }
    if (out.payload == "-") {
        out.payload.assign(std::istreambuf_iterator<char>(std::cin), {});
    }
    if (out.format == redisq::payload_format::json && !out.payload.empty()) {
        try {
            (void)redisq::json_payload::decode<nlohmann::json>(out.payload);
        } catch (const redisq::exception& problem) {
            throw std::runtime_error("PAYLOAD: " + std::string(problem.what()) +
                                     "; --format raw takes any bytes");
        }
    }
}

void judge_amounts(settings& out, const raw_words& raw) {
    const auto or_default = [](const std::string& text, const char* usual) {
        return text.empty() ? std::string(usual) : text;
    };
    out.limit = number("--limit", or_default(raw.limit, "50"), 1, 10'000);
    out.interval = length("--interval", or_default(raw.interval, "1s"), 100ms, 1h);
    out.rounds = raw.rounds.empty() ? 0 : number("--count", raw.rounds, 1, 1'000'000);
    out.jobs = number("--jobs", or_default(raw.jobs, "20000"), 1, 10'000'000);
    out.payload_bytes = number("--payload", or_default(raw.payload_bytes, "100"), 0, 65'536);
    out.concurrency = number("--concurrency", or_default(raw.concurrency, "1000"), 1, 100'000);
}

void judge(settings& out, const raw_words& raw) {
    using redisq::job_state;
    using redisq::purge_what;
    try {
        const redisq::queue_keys checked(out.queue);
    } catch (const std::invalid_argument& problem) {
        throw std::runtime_error("--queue: " + std::string(problem.what()));
    }
    judge_amounts(out, raw);
    if (!raw.state.empty()) {
        out.state = choice<job_state>("STATE", raw.state,
                                      {{"waiting", job_state::waiting},
                                       {"running", job_state::running},
                                       {"delayed", job_state::delayed},
                                       {"dead", job_state::dead}});
    }
    if (out.command == "dead") {
        out.command = "ls";
        out.state = job_state::dead;
    }
    if (!raw.what.empty()) {
        out.what = choice<purge_what>("WHAT", raw.what,
                                      {{"waiting", purge_what::waiting},
                                       {"dead", purge_what::dead},
                                       {"everything", purge_what::everything}});
    }
    if (out.command == "retry" && out.id.empty() != out.all) {
        throw std::runtime_error("retry: needs either an ID or --all");
    }
    if (out.command == "enqueue") {
        judge_enqueue(out, raw);
    }
}

int refuse(const char* what) {
    std::fprintf(stderr, "weirq: %s\n", what);
    return 2;
}

}  // namespace

std::optional<int> read_command_line(int argc, char** argv, settings& out) {
    CLI::App app{purpose};
    app.name("weirq");
    app.require_subcommand(1);
    app.fallthrough();  // the common options may stand behind the command too
    raw_words raw;
    describe_common(app, out, raw);
    describe_jobs(app, out, raw);
    describe_others(app, out, raw);
    try {
        app.parse(argc, argv);
        out.command = app.get_subcommands().front()->get_name();
        judge(out, raw);
        out.server = read_server(raw, app.count("--url") != 0);
        weir::redisq::detail::job_link::check(out.server, out.is_cluster);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        return error.get_exit_code() == 0 ? app.exit(error) : refuse(error.what());
    } catch (const std::exception& error) {
        return refuse(error.what());
    }
}

}  // namespace weirq
