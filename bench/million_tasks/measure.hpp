// Runs one strategy in this process and measures it.
#pragma once

#include <vector>

#include "../support/output_file.hpp"
#include "options.hpp"
#include "report.hpp"
#include "sampler.hpp"

namespace million_tasks {

struct measured {
    report figures;
    std::vector<sample> points;  // empty where no plot is wanted
};

// `csv` may be unwanted. Throws std::exception where the run fails (io_uring refused, no memory);
// SIGINT ends it early, which is not an error: the figures then say so.
[[nodiscard]] measured measure(const options& asked, bench::output_file& csv, bool progress,
                               bool points);

}  // namespace million_tasks
