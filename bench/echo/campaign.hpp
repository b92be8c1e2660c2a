// All measurements of one call: every server under every shape, round after round, so that what the
// machine does meanwhile hits all servers alike.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"
#include "report.hpp"

namespace echo {

struct outcome {
    std::vector<row> rows;           // by shape, then by server; those with a round
    std::vector<std::string> notes;  // what failed or was left out, and why
    bool failed = false;
};

// With `progress`, says on stderr what is running. A server that fails is not tried again.
[[nodiscard]] outcome run_campaign(const options& asked, bool progress);

}  // namespace echo
