#include "command_line.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

#include "values.hpp"

namespace bench {

command_line::command_line(const char* description, const char* program, const char* footer)
    : app_(std::make_unique<CLI::App>(description, program)) {
    app_->footer(footer);
    app_->set_help_flag("--help", "Print this help and exit");
    app_->allow_extras();
}

command_line::command_line(command_line&&) noexcept = default;
command_line::~command_line() = default;

void command_line::add(const char* name, const char* type, const std::string& text) {
    // TakeAll lets a repeated option through to the check in parse().
    app_->add_option(name, text)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void command_line::add_flag(const char* name, const std::string& text) {
    app_->add_flag(name, text)->disable_flag_override();
}

raw_values command_line::parse(int argc, const char* const* argv) {
    try {
        app_->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        throw help_wanted{};
    } catch (const CLI::ArgumentMismatch& error) {
        throw option_error(explain(error.what()));
    }
    raw_values values;
    for (const CLI::Option* const option : app_->get_options()) {
        if (option->count() > 1) {
            throw option_error(option->get_name() + ": given " + std::to_string(option->count()) +
                               " times; allowed: once");
        }
        if (option->count() == 1) {
            values[option->get_name()] = option->results().front();
        }
    }
    if (const auto extras = app_->remaining(); !extras.empty()) {
        throw option_error("unknown option or argument '" + extras.front() +
                           "'; allowed: those that --help lists");
    }
    return values;
}

std::string command_line::help() const { return app_->help(); }

// CLI11 opens such a text with the option's name and leaves out what would be allowed.
std::string command_line::explain(const std::string& text) const {
    for (const CLI::Option* const option : app_->get_options()) {
        if (text.starts_with(option->get_name() + ":") && option->get_expected_max() > 0) {
            return option->get_name() +
                   ": a value is missing; allowed: " + option->get_description();
        }
    }
    return text;
}

int take_command_line(const char* program, command_line line, int argc, const char* const* argv,
                      const std::function<void(const raw_values&)>& take) {
    try {
        take(line.parse(argc, argv));
        return 0;
    } catch (const help_wanted&) {
        std::printf("%s\n", line.help().c_str());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        return 2;
    }
}

}  // namespace bench
