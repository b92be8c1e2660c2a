// command: what a child process is to run, and how.
//
//     weir::command sort("sort");
//     sort.argument("-n").input(weir::child_stdio::pipe).output(weir::child_stdio::pipe);
//
// A program without a slash in its name is looked for in this process's PATH; a relative one with a
// slash is relative to the child's directory. Nothing is passed to a shell.
//
// Errors: a program, argument, directory or variable that holds a NUL byte, an empty program or
// directory, a variable without '=', and a signal or grace out of range are std::invalid_argument.
// Thread: any; a value.
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "../clock.hpp"

namespace weir {

// What stands behind a standard stream of a child.
enum class child_stdio {
    inherit,  // what this process has
    null,     // /dev/null
    pipe      // a pipe, whose other end child_process holds
};

class command {
  public:
    explicit command(std::string program);

    command& argument(std::string value);
    command& arguments(const std::vector<std::string>& values);

    // The child's working directory; without it, this process's.
    command& directory(std::string path);

    // All its variables, "NAME=value" each; without it, those of this process.
    command& environment(std::vector<std::string> variables);

    command& input(child_stdio from) noexcept;
    command& output(child_stdio to) noexcept;
    command& error(child_stdio to) noexcept;

    // How child_process::wait() ends the child when its task is stopped: by `signal`, and after
    // `grace` (0 or more) by SIGKILL. Without it, SIGTERM and 5 s.
    command& stop_with(int signal, duration grace);
    // Lets it run on instead.
    command& keep_when_stopped() noexcept;

    [[nodiscard]] const std::string& program() const noexcept { return words_.front(); }
    // The program and its arguments.
    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }
    [[nodiscard]] const std::optional<std::string>& directory() const noexcept {
        return directory_;
    }
    [[nodiscard]] const std::optional<std::vector<std::string>>& environment() const noexcept {
        return environment_;
    }
    // `stream`: 0 to 2.
    [[nodiscard]] child_stdio stdio(int stream) const noexcept;
    // 0 where the child is to run on.
    [[nodiscard]] int stop_signal() const noexcept { return stop_signal_; }
    [[nodiscard]] duration grace() const noexcept { return grace_; }

  private:
    std::vector<std::string> words_;
    std::optional<std::string> directory_;
    std::optional<std::vector<std::string>> environment_;
    child_stdio stdio_[3] = {child_stdio::inherit, child_stdio::inherit, child_stdio::inherit};
    int stop_signal_ = SIGTERM;
    duration grace_ = std::chrono::seconds(5);
};

}  // namespace weir
