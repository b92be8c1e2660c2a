#include "print.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <weir/redisq/jobs/payload.hpp>

namespace weirq {
namespace {

using weir::redisq::job_description;
using weir::redisq::job_state;

bool is_utf8(std::string_view text) {
    try {
        (void)json(std::string(text)).dump();
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes) {
        constexpr const char* digits = "0123456789abcdef";
        out += digits[static_cast<unsigned char>(byte) >> 4U];
        out += digits[static_cast<unsigned char>(byte) & 15U];
    }
    return out;
}

// JSON holds text only; other bytes are given as {"hex": ...}.
json bytes_json(std::string_view bytes) {
    return is_utf8(bytes) ? json(std::string(bytes)) : json{{"hex", hex(bytes)}};
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end != 0) {
            lines.push_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// What a job's place says: who runs it, when it is due, why it died.
std::string detail_of(const job_description& job) {
    switch (job.state) {
        case job_state::waiting:
            return job.problem;
        case job_state::running:
            return "by " + job.worker + ", delivery " + std::to_string(job.deliveries);
        case job_state::delayed:
            return "due " + time_text(job.time_ms);
        case job_state::dead:
            return std::string(weir::redisq::last_reason(job.history));
    }
    return {};
}

std::string lane_text(const job_description& job) {
    return job.lane < 0 ? "-" : std::to_string(job.lane);
}

}  // namespace

std::string printable(std::string_view text) {
    const bool keep_high = is_utf8(text);
    std::string out;
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !keep_high)) {
            out += "\\x" + hex(std::string_view(&each, 1));
        } else {
            out += each;
        }
    }
    return out;
}

std::string time_text(std::uint64_t time_ms) {
    const auto seconds = static_cast<std::time_t>(time_ms / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string fraction = std::to_string(1000 + time_ms % 1000).substr(1);
    return std::string(text, size) + "." + fraction + "Z";
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        std::printf("%s\n", line.c_str());
    }
}

void print_json(const json& value) {
    std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

json counts_json(const std::string& queue, const weir::redisq::queue_counts& now) {
    return {{"queue", queue},         {"waiting", now.waiting}, {"running", now.running},
            {"delayed", now.delayed}, {"dead", now.dead},       {"set_aside", now.set_aside},
            {"lanes", now.lanes},     {"workers", now.workers}, {"done", now.done},
            {"failed", now.failed},   {"buried", now.buried},   {"paused", now.is_paused}};
}

void print_counts(const std::string& queue, const weir::redisq::queue_counts& now) {
    std::printf("%s%s\n", queue.c_str(), now.is_paused ? " (paused)" : "");
    std::string lanes;
    for (const std::uint64_t entries : now.lanes) {
        lanes += std::to_string(entries) + " ";
    }
    print_table({{"  waiting", std::to_string(now.waiting)},
                 {"  running", std::to_string(now.running)},
                 {"  delayed", std::to_string(now.delayed)},
                 {"  dead", std::to_string(now.dead)},
                 {"  set aside", std::to_string(now.set_aside), "of a later version"},
                 {"  by lane", lanes, "waiting and running, the urgent first"},
                 {"  workers", std::to_string(now.workers)}});
    std::printf("  so far     %llu done, %llu runs failed, %llu given up\n",
                static_cast<unsigned long long>(now.done),
                static_cast<unsigned long long>(now.failed),
                static_cast<unsigned long long>(now.buried));
}

json job_json(const job_description& job, bool in_full) {
    json out = {{"id", job.id},
                {"state", weir::redisq::job_state_name(job.state)},
                {"lane", job.lane < 0 ? json(nullptr) : json(job.lane)},
                {"type", bytes_json(job.type)},
                {"attempts", job.attempts},
                {"payload_bytes", job.payload.size()}};
    if (!job.problem.empty()) {
        out["problem"] = job.problem;
    }
    if (job.state == job_state::running) {
        out["worker"] = job.worker;
        out["deliveries"] = job.deliveries;
    }
    if (job.state == job_state::delayed) {
        out["due_ms"] = job.time_ms;
    }
    if (job.state == job_state::dead) {
        out["died_ms"] = job.time_ms;
        out["reason"] = bytes_json(weir::redisq::last_reason(job.history));
    }
    if (in_full) {
        out["format"] = weir::redisq::format_name(job.format);
        out["payload"] = bytes_json(job.payload);
        out["history"] = json::array();
        for (const std::string_view line : lines_of(job.history)) {
            out["history"].push_back(bytes_json(line));
        }
    }
    return out;
}

void print_job(const job_description& job) {
    std::vector<std::vector<std::string>> rows = {
        {"id", job.id},
        {"state", std::string(weir::redisq::job_state_name(job.state)), printable(detail_of(job))},
        {"lane", lane_text(job)},
        {"type", printable(job.type)},
        {"attempts", std::to_string(job.attempts), "that failed"}};
    if (job.state == job_state::dead) {
        rows.push_back({"died", time_text(job.time_ms)});
    }
    if (!job.problem.empty()) {
        rows.push_back({"problem", job.problem});
    }
    rows.push_back({"payload", std::to_string(job.payload.size()) + " bytes",
                    std::string(weir::redisq::format_name(job.format))});
    print_table(rows);
    std::printf("\n%s\n", printable(job.payload).c_str());
    const std::vector<std::string_view> history = lines_of(job.history);
    if (!history.empty()) {
        std::printf("\nfailed attempts: number, time in ms, worker, reason\n");
    }
    for (std::string_view line : history) {
        std::string text(line);
        std::ranges::replace(text, '\t', ' ');
        std::printf("  %s\n", printable(text).c_str());
    }
}

void print_jobs(const std::vector<job_description>& jobs) {
    std::vector<std::vector<std::string>> rows = {
        {"ID", "STATE", "LANE", "TYPE", "ATTEMPTS", "BYTES", "DETAIL"}};
    for (const job_description& job : jobs) {
        rows.push_back({job.id, std::string(weir::redisq::job_state_name(job.state)),
                        lane_text(job), printable(job.type), std::to_string(job.attempts),
                        std::to_string(job.payload.size()), printable(detail_of(job))});
    }
    print_table(rows);
}

}  // namespace weirq
