// Splits a command line and writes the help. Values stay text here, so that every error about a
// value has one form, that of option_error.
//
//     bench::command_line line("Measures something", "something", "Examples: ...");
//     line.add("--count", "COUNT", "1..10 (default 1)");
//     const bench::raw_values values = line.parse(argc, argv);
#pragma once

#include <map>
#include <memory>
#include <string>

// NOLINTBEGIN(readability-identifier-naming): the names are CLI11's
namespace CLI {
class App;
}
// NOLINTEND(readability-identifier-naming)

namespace bench {

// By option, "--count"; a flag that was given has an entry too.
using raw_values = std::map<std::string, std::string>;

// --help was given.
struct help_wanted {};

class command_line {
  public:
    command_line(const char* description, const char* program, const char* footer);
    command_line(command_line&&) noexcept;
    command_line& operator=(command_line&&) = delete;
    ~command_line();

    // `text` opens with what is allowed; it is printed where the value is missing.
    void add(const char* name, const char* type, const std::string& text);
    void add_flag(const char* name, const std::string& text);

    // Each option may be given once. Throws help_wanted and std::exception.
    [[nodiscard]] raw_values parse(int argc, const char* const* argv);
    [[nodiscard]] std::string help() const;

  private:
    [[nodiscard]] std::string explain(const std::string& text) const;

    std::unique_ptr<CLI::App> app_;
};

}  // namespace bench
