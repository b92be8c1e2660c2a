// Strategy `all`: each strategy in a process of its own, so that no peak leaks into another's.
#pragma once

#include <string>
#include <vector>

#include "../support/output_file.hpp"
#include "options.hpp"
#include "report.hpp"

namespace million_tasks {

struct comparison {
    std::vector<report> reports;     // of the strategies that gave figures, in order
    std::vector<std::string> notes;  // what was left out, shortened or failed, and why
    bool interrupted = false;
    bool failed = false;
};

// The rows of all strategies go into `csv` where that is wanted. With `progress`, says on stderr
// what is running, and each child shows there how far it is.
[[nodiscard]] comparison compare(const options& asked, bench::output_file& csv, bool progress);

}  // namespace million_tasks
