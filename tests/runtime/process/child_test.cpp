#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/process/child.hpp>
#include <weir/runtime/run.hpp>

#include "support/bytes.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

command shell(const std::string& script) {
    command what("/bin/sh");
    what.arguments({"-c", script});
    return what;
}

bool has_no_children() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

// ref: the pipe is the caller's.
task<std::string> read_all_of(pipe_reader& from) {
    std::string all;
    std::string text(1000, '?');
    while (true) {
        const result<std::size_t> count = co_await from.read_some(test::space_of(text));
        if (count.value() == 0) {
            co_return all;
        }
        all.append(text, 0, *count);
    }
}

task<exit_status> status_of(command what) {
    child_process child = co_await child_process::spawn(std::move(what));
    EXPECT_GT(child.pid(), 0);
    EXPECT_FALSE(child.status());
    const exit_status status = co_await child.wait();
    EXPECT_EQ(co_await child.wait(), status) << "once more";
    EXPECT_EQ(child.status(), status);
    EXPECT_EQ(child.kill(SIGKILL).error(), std::errc::no_such_process);
    co_return status;
}

TEST(ChildProcessTest, ItsEndIsTold) {
    EXPECT_EQ(test::run_test(status_of(shell("exit 0"))), exit_status::exited(0));
    EXPECT_EQ(test::run_test(status_of(shell("exit 255"))), exit_status::exited(255));
    EXPECT_EQ(test::run_test(status_of(shell("kill -USR1 $$"))), exit_status::killed(SIGUSR1));
    EXPECT_EQ(test::run_test(status_of(command("true"))), exit_status::exited(0)) << "in PATH";
    EXPECT_TRUE(has_no_children());
}

// What a child with both outputs piped says.
task<std::pair<std::string, std::string>> outputs_of(command what) {
    what.output(child_stdio::pipe).error(child_stdio::pipe);
    child_process child = co_await child_process::spawn(std::move(what));
    std::string out = co_await read_all_of(child.output());
    std::string error = co_await read_all_of(child.error());
    EXPECT_TRUE((co_await child.wait()).success());
    co_return std::pair(std::move(out), std::move(error));
}

std::string output_of(command what) { return test::run_test(outputs_of(std::move(what))).first; }

TEST(ChildProcessTest, ItsStreamsArePipes) {
    const auto [out, error] = test::run_test(outputs_of(shell("echo good; echo bad >&2")));
    EXPECT_EQ(out, "good\n");
    EXPECT_EQ(error, "bad\n");
}

task<> feed(std::string text) {
    command cat("cat");
    cat.input(child_stdio::pipe).output(child_stdio::pipe);
    child_process child = co_await child_process::spawn(cat);
    EXPECT_TRUE(co_await child.input().write_all(test::bytes_of(text)));
    child.input().close();
    EXPECT_EQ(co_await read_all_of(child.output()), text);
    EXPECT_TRUE((co_await child.wait()).success());
}

TEST(ChildProcessTest, ItIsFedAndRead) { test::run_test(feed(std::string(5000, 'w'))); }

task<> feed_who_does_not_read() {
    command what = shell("exec 0<&-; exit 4");
    what.input(child_stdio::pipe);
    child_process child = co_await child_process::spawn(std::move(what));
    EXPECT_EQ(co_await child.wait(), exit_status::exited(4));
    const result<void> written = co_await child.input().write_all(test::bytes_of("x"));
    EXPECT_FALSE(written);
    EXPECT_EQ(written.error(), std::errc::broken_pipe);
}

TEST(ChildProcessTest, WritingToOneThatHasGoneIsAnError) {
    std::signal(SIGPIPE, SIG_DFL);
    test::run_test(feed_who_does_not_read());
}

TEST(ChildProcessTest, ItsSurroundingsAreAsItsCommandSays) {
    const test::temporary_folder folder;
    EXPECT_EQ(output_of(shell("pwd -P").directory(folder.path())), folder.path() + "\n");
    EXPECT_EQ(output_of(shell("echo $A-$B").environment({"A=1", "B=2"})), "1-2\n");
    command env("/usr/bin/env");
    env.environment({});
    EXPECT_EQ(output_of(env), "");
    EXPECT_EQ(output_of(shell("cat").input(child_stdio::null)), "");
    const auto [out, error] = test::run_test(outputs_of(shell("ls -l /proc/$$/fd")));
    EXPECT_EQ(out.find("io_uring"), std::string::npos) << "it inherits no descriptor of ours";
}

TEST(ChildProcessTest, ItHasNoSignalBlockedAndSigpipeAtItsDefault) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    const std::string said = output_of(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    EXPECT_NE(said.find("SigBlk:\t0000000000000000"), std::string::npos) << said;
    const std::size_t ignored = said.find("SigIgn:\t");
    ASSERT_NE(ignored, std::string::npos);
    EXPECT_EQ(std::stoull(said.substr(ignored + 8), nullptr, 16) >> (SIGPIPE - 1) & 1U, 0U) << said;
    std::signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::string failure_of(command what) {
    const std::size_t open = test::open_descriptors();
    std::string text = "it runs";
    try {
        test::run_test(status_of(std::move(what)));
    } catch (const std::system_error& error) {
        text = error.what();
    }
    EXPECT_EQ(test::open_descriptors(), open);
    EXPECT_TRUE(has_no_children());
    return text;
}

TEST(ChildProcessTest, AProgramThatCannotRunIsNamed) {
    const test::temporary_folder folder;
    std::ofstream(folder.file("no_program")) << "x";
    EXPECT_EQ(failure_of(command("/none/at/all")),
              "cannot run '/none/at/all': No such file or directory");
    EXPECT_EQ(failure_of(command("no_such_program_anywhere").output(child_stdio::pipe)),
              "cannot run 'no_such_program_anywhere': No such file or directory");
    EXPECT_EQ(failure_of(command(folder.file("no_program"))),
              "cannot run '" + folder.file("no_program") + "': Permission denied");
    EXPECT_EQ(failure_of(command("true").directory("/none")),
              "cannot run 'true' in directory '/none': No such file or directory");
    EXPECT_EQ(failure_of(command("true").argument(std::string(1 << 20, 'x'))),
              "cannot run 'true': Argument list too long");
}

TEST(ChildProcessDeathTest, WhereNoDescriptorIsLeftTheProgramIsNamed) {
#ifdef WEIR_ASAN
    GTEST_SKIP() << "the sanitizers open descriptors themselves when they look at memory";
#endif
    const auto spawn_without_descriptors = [] {
        test::virtual_loop on;
        on.run(status_of(command("true")));  // the threads are there
        const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
        setrlimit(RLIMIT_NOFILE, &limit);
        std::string text;
        try {
            on.run(status_of(command("true").input(child_stdio::pipe)));
        } catch (const std::system_error& error) {
            text = error.what();
        }
        std::_Exit(text == "cannot run 'true': Too many open files" ? 0 : 1);
    };
    EXPECT_EXIT(spawn_without_descriptors(), testing::ExitedWithCode(0), "");
}

// ref: the child is the caller's.
task<> keep_end(child_process& child, std::vector<exit_status>& out) {
    out.push_back(co_await child.wait());
}

task<> wait_for_a_signal() {
    child_process child = co_await child_process::spawn(shell("exec sleep 1000"));
    std::vector<exit_status> ends;
    scope s;
    s.spawn(keep_end(child, ends));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    EXPECT_TRUE(child.kill(SIGINT));
    co_await s.join();
    EXPECT_EQ(ends, std::vector{exit_status::killed(SIGINT)});
}

TEST(ChildProcessTest, ItEndsByASignal) { test::run_test(wait_for_a_signal()); }

// Says "ready" when it has set its traps, so that a signal finds them.
constexpr const char* ignores_terminate = "trap '' TERM; echo ready; while :; do sleep 1; done";
constexpr const char* ends_by_terminate =
    "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";

// The end of a child whose wait() was stopped; empty where it runs on.
task<std::optional<exit_status>> stop_the_wait(command what) {
    what.output(child_stdio::pipe);
    child_process child = co_await child_process::spawn(std::move(what));
    std::string text(6, '?');
    EXPECT_EQ(co_await child.output().read_some(test::space_of(text)), 6U);
    std::vector<exit_status> ends;
    test::ending end{};
    scope s;
    s.spawn(test::observe(keep_end(child, ends), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    s.request_stop();
    co_await s.join();
    EXPECT_EQ(end, test::ending::canceled);
    co_return child.status();
}

TEST(ChildProcessTest, AStoppedWaitEndsTheChild) {
    EXPECT_EQ(weir::run(stop_the_wait(shell(ends_by_terminate))), exit_status::exited(7));
    EXPECT_TRUE(has_no_children());
}

TEST(ChildProcessTest, AChildThatDoesNotListenIsKilledWhenItsGraceIsOver) {
    // Virtual time: the hour is over when nothing else happens.
    EXPECT_EQ(test::run_test(stop_the_wait(shell(ignores_terminate).stop_with(SIGTERM, 1h))),
              exit_status::killed(SIGKILL));
    EXPECT_EQ(test::run_test(stop_the_wait(shell(ends_by_terminate).stop_with(SIGTERM, 0s))),
              exit_status::killed(SIGKILL))
        << "without grace";
    EXPECT_TRUE(has_no_children());
}

TEST(ChildProcessTest, AChildThatIsToRunOnIsLeftAlone) {
    EXPECT_EQ(test::run_test(stop_the_wait(shell(ignores_terminate).keep_when_stopped())),
              std::nullopt);
    EXPECT_TRUE(has_no_children()) << "its object has gone";
}

task<> wait_when_stopped(command what, test::ending& end, std::optional<exit_status>& status) {
    child_process child = co_await child_process::spawn(std::move(what));
    scheduler::current()->running()->request_stop();
    std::vector<exit_status> ends;
    co_await test::observe(keep_end(child, ends), end);
    status = child.status();
}

TEST(ChildProcessTest, AStopThatCameBeforeEndsItToo) {
    test::ending end{};
    std::optional<exit_status> status;
    test::run_test(wait_when_stopped(shell("exec sleep 1000"), end, status));
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_TRUE(status && status->signal());
    test::run_test(wait_when_stopped(shell("exec sleep 1000").keep_when_stopped(), end, status));
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_FALSE(status);
    EXPECT_TRUE(has_no_children());
}

task<pid_t> leave_it_behind() {
    const child_process child = co_await child_process::spawn(shell("exec sleep 1000"));
    co_return child.pid();
}

TEST(ChildProcessTest, OneThatIsLeftBehindIsKilledAndReaped) {
    const std::size_t open = test::open_descriptors();
    const pid_t pid = test::run_test(leave_it_behind());
    EXPECT_EQ(::kill(pid, 0), -1) << "not even a zombie is left";
    EXPECT_TRUE(has_no_children());
    EXPECT_EQ(test::open_descriptors(), open);
}

task<> keep_child(std::vector<child_process>& out) {
    out.push_back(co_await child_process::spawn(shell("exec sleep 1000")));
}

TEST(ChildProcessTest, OneThatOutlivesItsLoopIsKilledAndReaped) {
    {
        std::vector<child_process> kept;
        test::run_test(keep_child(kept));
        EXPECT_EQ(::kill(kept.front().pid(), 0), 0);
    }
    EXPECT_TRUE(has_no_children());
}

task<> spawn_when_stopped(test::ending& end) {
    scheduler::current()->running()->request_stop();
    co_await test::observe(child_process::spawn(command("true")), end);
}

TEST(ChildProcessTest, AStoppedTaskStartsNothing) {
    test::ending end{};
    test::run_test(spawn_when_stopped(end));
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_TRUE(has_no_children());
}

task<> reap_it_elsewhere() {
    child_process child = co_await child_process::spawn(command("true"));
    EXPECT_EQ(::waitpid(child.pid(), nullptr, 0), child.pid());
    try {
        co_await child.wait();
        ADD_FAILURE() << "nobody knows how it ended";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_child_process);
    }
    EXPECT_EQ(child.kill(SIGKILL).error(), std::errc::no_such_process);
}

TEST(ChildProcessTest, OneThatWasReapedElsewhereIsAnError) { test::run_test(reap_it_elsewhere()); }

task<> spawn_many(int count) {
    scope s;
    for (int number = 0; number < count; ++number) {
        s.spawn([](int code) -> task<> {
            EXPECT_EQ(co_await status_of(shell("exit " + std::to_string(code))),
                      exit_status::exited(code));
        }(number));
    }
    co_await s.join();
}

TEST(ChildProcessTest, ManyRunAtOnce) {
    const std::size_t open = test::open_descriptors();
    test::run_test(spawn_many(20));
    EXPECT_TRUE(has_no_children());
    EXPECT_EQ(test::open_descriptors(), open);
}

}  // namespace
}  // namespace weir
