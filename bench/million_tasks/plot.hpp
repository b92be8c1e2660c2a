// The two pictures: one run over time, and several strategies side by side. Both are SVG texts.
#pragma once

#include <string>
#include <vector>

#include "report.hpp"
#include "sampler.hpp"

namespace million_tasks {

// Resident memory and finished tasks over time. Requires points, the last one after second 0.
[[nodiscard]] std::string run_plot(const report& of, const std::vector<sample>& points);

// Peak memory and tasks per second of each strategy, on logarithmic axes.
[[nodiscard]] std::string comparison_plot(const std::vector<report>& reports);

}  // namespace million_tasks
