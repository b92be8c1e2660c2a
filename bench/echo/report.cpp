#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../support/median.hpp"
#include "../support/values.hpp"

namespace echo {
namespace {

// Busier than this, a core has no time left.
constexpr double full = 0.97;
constexpr double idle = 0.90;

constexpr const char* line_format = "%-20s %9s %8s %8s %8s %8s %8s %9s %9s %9s\n";

std::string count_text(const std::optional<double>& value, int decimals) {
    return value ? bench::fixed(*value, decimals) : "-";
}

std::string line_text(const row& of) {
    return bench::formatted(line_format, of.server.c_str(),
                            bench::short_number(of.median(&figures::messages_per_s)).c_str(),
                            bench::fixed(of.median(&figures::server_cpu_ns), 0).c_str(),
                            bench::fixed(of.median(&figures::server_user_ns), 0).c_str(),
                            bench::fixed(of.median(&figures::p50_us), 1).c_str(),
                            bench::fixed(of.median(&figures::p99_us), 1).c_str(),
                            bench::fixed(of.median(&figures::p999_us), 1).c_str(),
                            count_text(of.syscalls_per_message(), 3).c_str(),
                            bench::fixed(of.median(&figures::rss_bytes) / 1048576.0, 1).c_str(),
                            count_text(of.idle_bytes, 0).c_str());
}

}  // namespace

double row::median(double figures::* what) const { return bench::median(rounds, what); }

double row::lowest(double figures::* what) const {
    return std::ranges::min(rounds, {}, what).*what;
}

double row::highest(double figures::* what) const {
    return std::ranges::max(rounds, {}, what).*what;
}

std::optional<double> row::syscalls_per_message() const {
    std::vector<double> values;
    for (const figures& each : rounds) {
        if (each.syscalls_per_message) {
            values.push_back(*each.syscalls_per_message);
        }
    }
    return values.empty() ? std::nullopt : std::optional(bench::median(std::move(values)));
}

std::string to_json(const std::vector<row>& rows) {
    using json = nlohmann::ordered_json;
    json out = json::array();
    for (const row& each : rows) {
        const auto syscalls = each.syscalls_per_message();
        out.push_back({
            {"server", each.server},
            {"connections", each.of.connections},
            {"depth", each.of.depth},
            {"size", each.of.size},
            {"rounds", each.rounds.size()},
            {"messages_per_s", each.median(&figures::messages_per_s)},
            {"messages_per_s_min", each.lowest(&figures::messages_per_s)},
            {"messages_per_s_max", each.highest(&figures::messages_per_s)},
            {"server_cpu_ns", each.median(&figures::server_cpu_ns)},
            {"server_cpu_ns_min", each.lowest(&figures::server_cpu_ns)},
            {"server_cpu_ns_max", each.highest(&figures::server_cpu_ns)},
            {"server_user_ns", each.median(&figures::server_user_ns)},
            {"p50_us", each.median(&figures::p50_us)},
            {"p99_us", each.median(&figures::p99_us)},
            {"p999_us", each.median(&figures::p999_us)},
            {"syscalls_per_message", syscalls ? json(*syscalls) : json(nullptr)},
            {"rss_bytes", static_cast<std::uint64_t>(each.median(&figures::rss_bytes))},
            {"idle_bytes_per_connection",
             each.idle_bytes ? json(std::round(*each.idle_bytes)) : json(nullptr)},
        });
    }
    return out.dump(2) + "\n";
}

std::string tables_text(const std::vector<row>& rows, double rate, const std::string& machine) {
    std::string text = machine + "\n";
    std::string limited;
    const row* before = nullptr;
    for (const row& each : rows) {
        if (before == nullptr || !(before->of == each.of)) {
            text += "\n";
            text += shape_text(each.of);
            if (rate > 0) {
                text += ", " + bench::short_number(rate) + " messages due a second";
            }
            text += "\n";
            text += bench::formatted(line_format, "server", "msg/s", "CPU ns", "user ns", "p50 us",
                                     "p99 us", "p99.9 us", "syscalls", "MiB", "idle B");
        }
        before = &each;
        text += line_text(each);
        if (rate == 0 && each.median(&figures::load_busy) > full &&
            each.median(&figures::server_busy) < idle) {
            limited += each.server + ", " + shape_text(each.of) +
                       ": the load generator was busy all the time, the server only " +
                       bench::fixed(each.median(&figures::server_busy) * 100, 0) +
                       " %; msg/s is the generator's\n";
        }
    }
    return text + (limited.empty() ? "" : "\n") + limited;
}

}  // namespace echo
