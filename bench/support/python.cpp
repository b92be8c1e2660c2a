#include "python.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "find_program.hpp"

// The folder of the sources, where the build tells.
#ifndef WEIR_SOURCE_ROOT
#define WEIR_SOURCE_ROOT ""
#endif

namespace bench {

std::string find_python() {
    constexpr const char* of_the_system = "/usr/bin/python3";
    return ::access(of_the_system, X_OK) == 0 ? of_the_system : find_program("python3");
}

std::string find_script(const std::string& path_in_project) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    for (fs::path folder :
         {fs::path(WEIR_SOURCE_ROOT), fs::read_symlink("/proc/self/exe", ignored).parent_path(),
          fs::current_path(ignored)}) {
        for (int level = 0; level < 6 && !folder.empty(); ++level) {
            const fs::path script = folder / path_in_project;
            if (fs::is_regular_file(script, ignored)) {
                return script.string();
            }
            folder = folder == folder.parent_path() ? "" : folder.parent_path();
        }
    }
    return {};
}

}  // namespace bench
