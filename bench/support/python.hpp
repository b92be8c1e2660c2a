// The baselines in Python: where their scripts are, and who runs them.
#pragma once

#include <string>

namespace bench {

// The system's own interpreter, before one that a user's PATH puts in front of it; empty where
// there is none.
[[nodiscard]] std::string find_python();

// A script of this project, "bench/jobs/rq_baseline.py" say: among the sources, or in the folders
// above this program and above the working directory; empty where it is not there.
[[nodiscard]] std::string find_script(const std::string& path_in_project);

}  // namespace bench
