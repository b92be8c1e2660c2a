// The examples in the comments of runtime/process/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <weir/runtime.hpp>

namespace {

int reloads = 0;
void reload() { ++reloads; }
void report(const std::string& text) { std::puts(text.c_str()); }

weir::task<> signals_example() {
    weir::signal_stream signals({SIGHUP, SIGUSR1});
    raise(SIGHUP);
    raise(SIGUSR1);
    while (auto got = co_await signals.next()) {
        if (got->signal == SIGHUP) { reload(); }
        if (got->signal == SIGUSR1) { break; }
    }
}

void command_example() {
    weir::command sort("sort");
    sort.argument("-n").input(weir::child_stdio::pipe).output(weir::child_stdio::pipe);
}

weir::task<bool> child_example() {
    std::array<std::byte, 100> memory{};
    weir::command echo("echo");
    echo.argument("hello").output(weir::child_stdio::pipe);
    weir::child_process child = co_await weir::child_process::spawn(echo);
    const weir::result<std::size_t> count = co_await child.output().read_some(memory);
    const weir::exit_status status = co_await child.wait();
    co_return count == 6U && status.success();
}

weir::task<> exit_status_example() {
    weir::command program("false");
    weir::child_process child = co_await weir::child_process::spawn(program);
    const weir::exit_status status = co_await child.wait();
    if (!status.success()) { report(status.text()); }   // "exited with 3", "killed by signal 9"
}

}  // namespace

int main() {
    command_example();
    weir::run(signals_example());
    weir::run(exit_status_example());
    return weir::run(child_example()) && reloads == 1 ? 0 : 1;
}
