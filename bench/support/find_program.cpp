#include "find_program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace bench {

std::string find_program(const std::string& name) {
    const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        const std::size_t end = rest.find(':');
        const std::string file = std::string(rest.substr(0, end)) + "/" + name;
        if (access(file.c_str(), X_OK) == 0) {
            return file;
        }
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return {};
}

}  // namespace bench
