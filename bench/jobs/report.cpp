#include "report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "../support/values.hpp"

namespace jobs {
namespace {

template <class... Values>
std::string line_text(const char* format, const Values&... values) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), format, values...);
    return line.data();
}

std::string number_text(double value, int decimals) {
    return std::isnan(value) ? "-" : bench::fixed(value, decimals);
}

std::string rate_text(double value) { return std::isnan(value) ? "-" : bench::short_number(value); }

std::string line_of(const row& each) {
    const double rate = median(each, &figures::jobs_per_s);
    const double ceiling = median(each.ceilings);
    return line_text("%-18s %7s %9s %9s %6s %9s %9s %9s %9s %6s %9s\n",
                     std::string(name_of(each.of.of)).c_str(),
                     std::to_string(each.of.threads).c_str(), rate_text(rate).c_str(),
                     rate_text(ceiling).c_str(), number_text(rate / ceiling, 2).c_str(),
                     number_text(median(each, &figures::p50_us), 0).c_str(),
                     number_text(median(each, &figures::p99_us), 0).c_str(),
                     number_text(median(each, &figures::client_cpu_ns), 0).c_str(),
                     number_text(median(each, &figures::server_cpu_ns), 0).c_str(),
                     number_text(median(each.bytes_per_job), 1).c_str(),
                     number_text(median(each, &figures::rss_bytes) / (1 << 20), 1).c_str());
}

}  // namespace

double median(std::vector<double> values) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.empty()) {
        return nothing;
    }
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double median(const row& of, double figures::* what) {
    std::vector<double> values;
    values.reserve(of.rounds.size());
    for (const figures& each : of.rounds) {
        values.push_back(each.*what);
    }
    return median(std::move(values));
}

std::string to_json(const report& of) {
    using json = nlohmann::ordered_json;
    json out = json::array();
    for (const row& each : of.rows) {
        // A number that is none becomes null.
        out.push_back({
            {"phase", name_of(each.of.of)},
            {"durability", name_of(each.of.kept)},
            {"threads", each.of.threads},
            {"jobs", std::llround(median(each, &figures::jobs))},
            {"jobs_per_s", median(each, &figures::jobs_per_s)},
            {"ceiling_jobs_per_s", median(each.ceilings)},
            {"bytes_per_job", median(each.bytes_per_job)},
            {"p50_us", median(each, &figures::p50_us)},
            {"p99_us", median(each, &figures::p99_us)},
            {"worker_cpu_ns", median(each, &figures::client_cpu_ns)},
            {"server_cpu_ns", median(each, &figures::server_cpu_ns)},
            {"rss_bytes", median(each, &figures::rss_bytes)},
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
            text += line_text("%-18s %7s %9s %9s %6s %9s %9s %9s %9s %6s %9s\n", "phase", "threads",
                              "jobs/s", "ceiling", "", "p50 us", "p99 us", "CPU ns", "server ns",
                              "bytes", "RSS MiB");
        }
        before = &each;
        text += line_of(each);
    }
    return text;
}

}  // namespace jobs
