// child_process: a program that runs beside this one, and its end.
//
//     weir::command echo("echo");
//     echo.argument("hello").output(weir::child_stdio::pipe);
//     weir::child_process child = co_await weir::child_process::spawn(echo);
//     const weir::result<std::size_t> count = co_await child.output().read_some(memory);
//     const weir::exit_status status = co_await child.wait();
//
// The child gets its standard streams, nothing else that this process has opened with O_CLOEXEC
// (which is all that the runtime opens), no blocked signal, and SIGPIPE at its default.
//
// A child belongs to its object: where that dies first, the child is killed (SIGKILL), and reaped
// by the loop, without waiting for it here. So there is never a zombie, and never a program that
// nobody knows of. Grandchildren are their parent's affair.
//
// Errors: spawn() throws std::system_error whose text names the program (or the directory): what
// execve(2) said, too_many_files_open and the like, and weir::canceled when the task was stopped
// first. wait() throws weir::canceled when it was stopped, and std::system_error (no_child_process)
// where something else in this process has reaped the child, such as waitpid(-1) or a SIGCHLD that
// is ignored. The pipes' errors are those of pipe.hpp.
// Lifetime: the object outlives its awaits and is not moved meanwhile. Thread: the loop's.
// Source: posix_spawn(3) on a thread of the offload pool, because it returns when the program is
// loaded; pidfd_open(2) and waitid(2), Linux 5.4.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>

#include "../file/pipe.hpp"
#include "../result.hpp"
#include "../task.hpp"
#include "command.hpp"
#include "exit_status.hpp"

namespace weir {

namespace detail {
class child_watch;
struct child_watch_deleter {
    void operator()(child_watch* watch) const noexcept;
};
struct spawned_child;
}  // namespace detail

class child_process {
  public:
    // Starts the program. When it returns, the program is running.
    [[nodiscard]] static task<child_process> spawn(command what);

    child_process(child_process&&) noexcept = default;
    child_process& operator=(child_process&&) noexcept = default;
    ~child_process() = default;

    // Waits for the child's end. Repeatable; one task at a time. Does not read the child's pipes: a
    // child that writes more than a pipe holds ends only when somebody does.
    //
    // When the task is stopped, the child is ended as its command says (stop_with), and wait()
    // throws weir::canceled when it has ended, or at once where it is to run on.
    [[nodiscard]] task<exit_status> wait();

    // Sends `signal`. no_such_process once wait() has returned; a child that has ended and was not
    // waited for takes signals without an effect.
    [[nodiscard]] result<void> kill(int signal) noexcept;

    [[nodiscard]] pid_t pid() const noexcept;

    // How it ended, once wait() has seen it.
    [[nodiscard]] std::optional<exit_status> status() const noexcept;

    // The other ends of the child's streams that are child_stdio::pipe, closed for the others.
    // Closing input() is the end of the child's input.
    [[nodiscard]] pipe_writer& input() noexcept { return input_; }
    [[nodiscard]] pipe_reader& output() noexcept { return output_; }
    [[nodiscard]] pipe_reader& error() noexcept { return error_; }

  private:
    explicit child_process(detail::spawned_child made) noexcept;

    std::unique_ptr<detail::child_watch, detail::child_watch_deleter> watch_;
    pipe_writer input_;
    pipe_reader output_;
    pipe_reader error_;
};

}  // namespace weir
