// What the measuring programs do around their work: exit statuses, the output files, and what is
// printed at the end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "output_file.hpp"

namespace bench {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_bad_option = 2;

// Runs `work`, and makes an exit status of what it throws, which becomes one line on stderr:
// exit_bad_option of option_error, exit_failed of the rest of std::exception.
[[nodiscard]] int run_program(const char* name, const std::function<int()>& work);

// The same for a function of the options, where there are any.
template <class Options>
[[nodiscard]] int run_program(const char* name, const parsed<Options>& asked,
                              int (*work)(const Options&)) {
    return asked.value ? run_program(name, [&] { return work(*asked.value); }) : asked.exit_code;
}

// The files of a program that measures, open before it does.
class result_files {
  public:
    // `picture_option` is "--svg", say. Throws option_error where a path cannot be written.
    explicit result_files(const std::string& json_path, const char* picture_option = "",
                          const std::string& picture_path = {})
        : json_("--json", json_path), picture_(picture_option, picture_path) {}

    // Writes them, prints the tables and the notes, and gives the exit status. `picture` is asked
    // where a picture is wanted. Throws std::runtime_error.
    struct content {
        std::string json;
        std::string tables;
        std::function<std::string()> picture;
        std::vector<std::string> notes;  // on stderr where something failed
        bool failed = false;
    };
    [[nodiscard]] int finish(const content& what);

  private:
    output_file json_;
    output_file picture_;
};

}  // namespace bench
