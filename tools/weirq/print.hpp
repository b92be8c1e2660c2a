// What weirq prints: text for people, or JSON.
//
// Thread: any.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>
#include <weir/redisq/jobs/admin.hpp>

namespace weirq {

using json = nlohmann::ordered_json;

// With bytes that are not printable ASCII or UTF-8 beyond it as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

// "2026-11-22T21:45:13.250Z"
[[nodiscard]] std::string time_text(std::uint64_t time_ms);

// Columns as wide as they need to be, the first row on top.
void print_table(const std::vector<std::vector<std::string>>& rows);

void print_json(const json& value);

[[nodiscard]] json counts_json(const std::string& queue, const weir::redisq::queue_counts& now);
void print_counts(const std::string& queue, const weir::redisq::queue_counts& now);

// `in_full`: with payload and history.
[[nodiscard]] json job_json(const weir::redisq::job_description& job, bool in_full);
void print_job(const weir::redisq::job_description& job);
void print_jobs(const std::vector<weir::redisq::job_description>& jobs);

}  // namespace weirq
