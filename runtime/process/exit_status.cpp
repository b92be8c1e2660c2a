#include "exit_status.hpp"

#include <cstring>

namespace weir {

std::string exit_status::text() const {
    if (!killed_) {
        return "exited with " + std::to_string(value_);
    }
    std::string said = "killed by signal " + std::to_string(value_);
    if (const char* const what = sigdescr_np(value_)) {
        said += std::string(" (") + what + ')';
    }
    return dumped_core_ ? said + ", core dumped" : said;
}

}  // namespace weir
