#include "rq.hpp"

#include <nlohmann/json.hpp>

#include "../support/bench_error.hpp"
#include "../support/captured_run.hpp"
#include "../support/python.hpp"
#include "../support/values.hpp"

namespace jobs {
namespace {

constexpr const char* script_path = "bench/jobs/rq_baseline.py";

double number_in(const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_number() ? found->get<double>() : nothing;
}

}  // namespace

rq::rq() : python_(bench::find_python()), script_(bench::find_script(script_path)) {
    if (python_.empty()) {
        missing_ = "python3 is not in PATH";
    } else if (script_.empty()) {
        missing_ = std::string(script_path) + " is not there";
    } else if (const bench::finished check =
                   bench::run_captured({python_, "-B", script_, "--check"});
               check.status != 0) {
        missing_ = check.text.substr(0, check.text.find('\n'));
    }
}

figures rq::run(const server_access& server, phase of, const std::string& number,
                const std::string& more) const {
    const stopwatch watch(server.process_id);
    std::vector<std::string> words = {
        python_, "-B", script_, std::string(name_of(of)), server.socket_path, number};
    if (!more.empty()) {
        words.push_back(more);
    }
    const bench::finished done = bench::run_captured(std::move(words));
    const nlohmann::json found = nlohmann::json::parse(done.text, nullptr, false);
    if (done.status != 0 || !found.is_object() || found.contains("error")) {
        throw bench::bench_error("rq_baseline.py ended with status " + std::to_string(done.status) +
                                 (found.is_object() ? ": " + found.value("error", "") : ""));
    }
    figures out = watch.figures_of(found.value("jobs", std::uint64_t{0}));
    out.jobs_per_s = number_in(found, "jobs_per_s");
    out.p50_us = number_in(found, "p50_us");
    out.p99_us = number_in(found, "p99_us");
    out.client_cpu_ns = number_in(found, "cpu_ns");
    out.rss_bytes = number_in(found, "rss_bytes");
    return out;
}

figures rq::submit_one(const server_access& server, double seconds) const {
    return run(server, phase::submit_one, bench::fixed(seconds, 3));
}

figures rq::submit_bulk(const server_access& server, std::uint64_t jobs) const {
    return run(server, phase::submit_bulk, std::to_string(jobs));
}

figures rq::drain(const server_access& server, std::uint64_t jobs, double seconds) const {
    return run(server, phase::drain, std::to_string(jobs), bench::fixed(seconds, 3));
}

figures rq::steady(const server_access& server, std::uint64_t jobs, double jobs_per_s) const {
    return run(server, phase::steady, std::to_string(jobs), bench::fixed(jobs_per_s, 3));
}

}  // namespace jobs
