// Splits a command line and writes the help. Values stay text here, so that every error about a
// value has one form, that of option_error.
//
//     bench::command_line line("Measures something", "something", "Examples: ...");
//     line.add("--count", "COUNT", "1..10 (default 1)");
//     const bench::raw_values values = line.parse(argc, argv);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

// What a program was asked for. Where `value` is empty it has said all it has to say and ends with
// `exit_code`: 0 after --help and the like, 2 after a bad option, which is named on stderr in one
// line.
template <class Options>
struct parsed {
    std::optional<Options> value;
    int exit_code = 0;
};

// Splits the command line, and gives its values to `take`, which may throw option_error. Returns
// the exit status, with everything said; 0 also where `take` has been called.
[[nodiscard]] int take_command_line(const char* program, command_line line, int argc,
                                    const char* const* argv,
                                    const std::function<void(const raw_values&)>& take);

// `interpret` makes options of raw_values, or none where it has printed what was asked for.
template <class Options, class Interpret>
[[nodiscard]] parsed<Options> parse_command_line(const char* program, command_line line, int argc,
                                                 const char* const* argv,
                                                 const Interpret& interpret) {
    parsed<Options> out;
    const auto take = [&](const raw_values& raw) { out.value = interpret(raw); };
    out.exit_code = take_command_line(program, std::move(line), argc, argv, take);
    return out;
}

}  // namespace bench
