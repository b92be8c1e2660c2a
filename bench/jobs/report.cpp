#include "report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "../support/median.hpp"
#include "../support/values.hpp"

namespace jobs {
namespace {

constexpr const char* line_format = "%-18s %7s %9s %9s %6s %9s %9s %9s %9s %6s %9s\n";

std::string number_text(double value, int decimals) {
    return std::isnan(value) ? "-" : bench::fixed(value, decimals);
}

std::string rate_text(double value) { return std::isnan(value) ? "-" : bench::short_number(value); }

std::string line_of(const row& each) {
    const double rate = bench::median(each.rounds, &figures::jobs_per_s);
    const double ceiling = bench::median(each.ceilings);
    return bench::formatted(
        line_format, name_of(each.of).c_str(), std::to_string(each.of.threads).c_str(),
        rate_text(rate).c_str(), rate_text(ceiling).c_str(), number_text(rate / ceiling, 2).c_str(),
        number_text(bench::median(each.rounds, &figures::p50_us), 0).c_str(),
        number_text(bench::median(each.rounds, &figures::p99_us), 0).c_str(),
        number_text(bench::median(each.rounds, &figures::client_cpu_ns), 0).c_str(),
        number_text(bench::median(each.rounds, &figures::server_cpu_ns), 0).c_str(),
        number_text(bench::median(each.bytes_per_job), 1).c_str(),
        number_text(bench::median(each.rounds, &figures::rss_bytes) / (1 << 20), 1).c_str());
}

}  // namespace

std::string to_json(const report& of) {
    using json = nlohmann::ordered_json;
    json out = json::array();
    for (const row& each : of.rows) {
        // A number that is none becomes null.
        out.push_back({
            {"phase", name_of(each.of)},
            {"client", name_of(each.of.who)},
            {"durability", name_of(each.of.kept)},
            {"threads", each.of.threads},
            {"jobs", std::llround(bench::median(each.rounds, &figures::jobs))},
            {"jobs_per_s", bench::median(each.rounds, &figures::jobs_per_s)},
            {"ceiling_jobs_per_s", bench::median(each.ceilings)},
            {"bytes_per_job", bench::median(each.bytes_per_job)},
            {"p50_us", bench::median(each.rounds, &figures::p50_us)},
            {"p99_us", bench::median(each.rounds, &figures::p99_us)},
            {"worker_cpu_ns", bench::median(each.rounds, &figures::client_cpu_ns)},
            {"server_cpu_ns", bench::median(each.rounds, &figures::server_cpu_ns)},
            {"rss_bytes", bench::median(each.rounds, &figures::rss_bytes)},
        });
    }
    return out.dump(2) + "\n";
}

std::string tables_text(const report& of) {
    std::string text = of.machine + "\n" + of.server + "\n";
    const row* before = nullptr;
    for (const row& each : of.rows) {
        if (before == nullptr || before->of.kept != each.of.kept) {
            text += each.of.kept == durability::off ? "\nNo log on disk\n"
                                                    : "\nLog on disk, written out every second\n";
            text += bench::formatted(line_format, "phase", "threads", "jobs/s", "ceiling", "",
                                     "p50 us", "p99 us", "CPU ns", "server ns", "bytes", "RSS MiB");
        }
        before = &each;
        text += line_of(each);
    }
    return text;
}

}  // namespace jobs
