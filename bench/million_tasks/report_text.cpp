#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "report.hpp"
#include "values.hpp"

namespace million_tasks {
namespace {

std::string milliseconds_text(double milliseconds) {
    return duration_text(std::chrono::nanoseconds{std::llround(milliseconds * 1e6)});
}

std::string times(double ratio) { return fixed(ratio, ratio < 10 ? 2 : 0) + " x"; }

// "all right", "WRONG", or how much was done before the interruption.
std::string outcome_text(const report& of) {
    if (of.interrupted()) {
        return "interrupted: " + with_separators(of.completed) + " of " +
               with_separators(of.tasks) + " tasks";
    }
    return of.checksum_ok.value_or(false) ? "every result checked" : "RESULTS ARE WRONG";
}

std::string table_line(const report& of, const report* pool) {
    const bool comparable = pool != nullptr && pool->completed > 0 && of.completed > 0;
    const double time = comparable ? of.ns_per_task() / pool->ns_per_task() : 0;
    const double memory = comparable ? static_cast<double>(of.rss_peak_bytes) /
                                           static_cast<double>(pool->rss_peak_bytes)
                                     : 0;
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), "%-18s %10s %10s %8s %12s %12s %14s\n",
                  of.strategy.c_str(), short_number(of.tasks_per_s()).c_str(),
                  short_number(of.ns_per_task()).c_str(), fixed(of.cpu_s, 2).c_str(),
                  mebibytes_text(of.rss_peak_bytes).c_str(), comparable ? times(time).c_str() : "-",
                  comparable ? times(memory).c_str() : "-");
    return line.data();
}

}  // namespace

double report::tasks_per_s() const {
    return wall_s > 0 ? static_cast<double>(completed) / wall_s : 0;
}

double report::ns_per_task() const {
    return completed > 0 ? wall_s * 1e9 / static_cast<double>(completed) : 0;
}

report report_of(const options& asked) {
    const auto milliseconds = [](std::chrono::nanoseconds duration) {
        return static_cast<double>(duration.count()) * 1e-6;
    };
    report out;
    out.strategy = asked.strategy;
    out.tasks = asked.tasks;
    out.concurrency = asked.concurrency;
    out.queue = asked.queue;
    out.payload_bytes = asked.payload_bytes;
    out.sleep_ms = milliseconds(asked.sleep);
    out.straggler_ms = milliseconds(asked.straggler);
    out.straggler_every = asked.straggler_every;
    out.clock = asked.manual_clock ? "manual" : "real";
    out.on = this_machine();
    return out;
}

std::string workload_text(const report& of) {
    std::string text = with_separators(of.tasks) + (of.tasks == 1 ? " task, " : " tasks, ") +
                       with_separators(of.concurrency) + " at a time, queue of " +
                       with_separators(of.queue) + ", ";
    text += of.payload_bytes == 0 ? "no payload, "
                                  : with_separators(of.payload_bytes) + "-byte payload, ";
    text += of.sleep_ms > 0 ? "sleep " + milliseconds_text(of.sleep_ms) : "no sleep";
    if (of.straggler_every != 0) {
        text += ", one in " + with_separators(of.straggler_every) + " sleeps " +
                milliseconds_text(of.straggler_ms);
    }
    return text + (of.clock == "manual" ? ", simulated clock" : "");
}

std::string details_text(const report& of) {
    const bool sleeps = of.sleep_ms > 0 || of.straggler_every != 0;
    std::string text = of.strategy + ": " + workload_text(of) + "\n" + machine_text(of.on) + "\n\n";
    text += "  result       " + outcome_text(of) + "\n";
    text += "  time         " + fixed(of.wall_s, 3) + " s, " + short_number(of.tasks_per_s()) +
            " tasks/s, " + short_number(of.ns_per_task()) + " ns a task\n";
    text += "  floor        " + short_number(of.floor_ns_per_task) +
            " ns for the same work in a plain loop" +
            (sleeps ? "" : "; a task took " + times(of.ns_per_task() / of.floor_ns_per_task)) +
            "\n";
    text += "  CPU          " + fixed(of.cpu_s, 2) + " s\n";
    text += "  memory       " + mebibytes_text(of.rss_peak_bytes) + " at most, " +
            mebibytes_text(of.rss_before_bytes) + " before the first task\n";
    text += "  at a time    at most " + with_separators(of.max_running) + " running, " +
            with_separators(of.max_queued) + " waiting\n";
    if (of.allocations_per_task) {
        text += "  heap         " + fixed(*of.allocations_per_task, 3) + " allocations a task\n";
    }
    return text;
}

std::string table_text(const std::vector<report>& reports) {
    if (reports.empty()) {
        return {};
    }
    const auto pool = std::ranges::find(reports, "pool", &report::strategy);
    std::array<char, 256> head{};
    std::snprintf(head.data(), head.size(), "%-18s %10s %10s %8s %12s %12s %14s\n", "strategy",
                  "tasks/s", "ns/task", "CPU s", "peak memory", "time : pool", "memory : pool");
    std::string text = workload_text(reports.front()) + "\n" + machine_text(reports.front().on) +
                       "\n\n" + head.data();
    std::string notes;
    for (const report& one : reports) {
        text += table_line(one, pool == reports.end() ? nullptr : &*pool);
        if (!one.complete()) {
            notes += one.strategy + ": " + outcome_text(one) + "\n";
        }
    }
    return text + (notes.empty() ? "" : "\n") + notes;
}

}  // namespace million_tasks
