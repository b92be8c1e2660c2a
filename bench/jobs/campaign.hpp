// All measurements of one call, round after round, so that what the machine does meanwhile hits all
// alike. Each round and each durability has a server of its own.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"
#include "report.hpp"

namespace jobs {

struct outcome {
    report figures;
    std::vector<std::string> notes;  // what failed or was left out, and why
    bool failed = false;
};

// With `progress`, says on stderr what is running. What fails once is not tried again. Throws
// bench::bench_error where the server cannot be started.
[[nodiscard]] outcome run_campaign(const options& asked, bool progress);

}  // namespace jobs
