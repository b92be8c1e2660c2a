#include "command.hpp"

#include <stdexcept>
#include <utility>

#include "../assert.hpp"

namespace weir {
namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw std::invalid_argument("command: " + what);
}

void check(const std::string& text, const char* what) {
    if (text.find('\0') != std::string::npos) {
        refuse(std::string(what) + " '" + text.substr(0, text.find('\0')) +
               "' goes on behind a NUL byte; allowed: none");
    }
}

void check_name(const std::string& text, const char* what) {
    if (text.empty()) {
        refuse(std::string(what) + " is empty; allowed: one character or more");
    }
    check(text, what);
}

}  // namespace

command::command(std::string program) {
    check_name(program, "the program");
    words_.push_back(std::move(program));
}

command& command::argument(std::string value) {
    check(value, "the argument");
    words_.push_back(std::move(value));
    return *this;
}

command& command::arguments(const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        argument(value);
    }
    return *this;
}

command& command::directory(std::string path) {
    check_name(path, "the directory");
    directory_ = std::move(path);
    return *this;
}

command& command::environment(std::vector<std::string> variables) {
    for (const std::string& variable : variables) {
        check(variable, "the variable");
        const std::size_t equals = variable.find('=');
        if (equals == 0 || equals == std::string::npos) {
            refuse("the variable '" + variable + "' is not NAME=value");
        }
    }
    environment_ = std::move(variables);
    return *this;
}

command& command::input(child_stdio from) noexcept {
    stdio_[0] = from;
    return *this;
}

command& command::output(child_stdio to) noexcept {
    stdio_[1] = to;
    return *this;
}

command& command::error(child_stdio to) noexcept {
    stdio_[2] = to;
    return *this;
}

command& command::stop_with(int signal, duration grace) {
    if (signal < 1 || signal > SIGRTMAX) {
        refuse("stop_with: " + std::to_string(signal) + " is not a signal; allowed: 1 to " +
               std::to_string(SIGRTMAX));
    }
    if (grace < duration::zero()) {
        refuse("stop_with: the grace is " + std::to_string(grace.count()) +
               " ns; allowed: 0 or more");
    }
    stop_signal_ = signal;
    grace_ = grace;
    return *this;
}

command& command::keep_when_stopped() noexcept {
    stop_signal_ = 0;
    return *this;
}

child_stdio command::stdio(int stream) const noexcept {
    WEIR_ASSERT(stream >= 0 && stream <= 2, "the standard streams are 0, 1 and 2");
    return stdio_[stream];
}

}  // namespace weir
