// The standard streams, each test in a process of its own whose descriptors 0 to 2 are what is
// named: a file, a pipe, a terminal, a socket, nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <weir/runtime/file/pipe.hpp>

#include "support/bytes.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

// Copies standard input to standard output; the exit code says whether it worked.
task<int> copy_input_to_output() {
    result<pipe_reader> in = standard_input();
    result<pipe_writer> out = standard_output();
    if (!in || !out) {
        co_return 10;
    }
    std::string text(100, '?');
    while (true) {
        const result<std::size_t> count = co_await in->read_some(test::space_of(text));
        if (!count) {
            co_return 11;
        }
        if (*count == 0) {
            co_return 0;
        }
        const result<void> done = co_await out->write_all(test::bytes_of(text).first(*count));
        if (!done) {
            co_return done.error().value();
        }
    }
}

// The exit code of a child that runs `main` with `in` and `out` as its standard streams.
template <class Main>
int run_child(int in, int out, Main main) {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGPIPE, SIG_DFL);
        if (in >= 0) {
            dup2(in, STDIN_FILENO);
        }
        if (out >= 0) {
            dup2(out, STDOUT_FILENO);
        }
        std::_Exit(test::run_test(main()));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(StandardStreamsTest, FilesAreReadAndWrittenAtTheirPosition) {
    const test::temporary_folder folder;
    std::ofstream(folder.file("in")) << std::string(1000, 'w');
    const test::descriptor in(::open(folder.file("in").c_str(), O_RDONLY | O_CLOEXEC));
    const test::descriptor out(
        ::open(folder.file("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::lseek(in.get(), 300, SEEK_SET), 300);
    EXPECT_EQ(run_child(in.get(), out.get(), copy_input_to_output), 0);
    EXPECT_EQ(::lseek(out.get(), 0, SEEK_CUR), 700) << "the position is shared";
    std::stringstream copied;
    copied << std::ifstream(folder.file("out")).rdbuf();
    EXPECT_EQ(copied.str(), std::string(700, 'w'));
}

TEST(StandardStreamsTest, BlockingPipesStayBlocking) {
    const test::pipe_pair in;
    const test::pipe_pair out;
    in.put('w');
    const auto main = []() -> task<int> {
        result<pipe_reader> reader = standard_input();
        std::string text(10, '?');
        const result<std::size_t> count = co_await reader->read_some(test::space_of(text));
        const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
        co_return count == 1U && (flags & O_NONBLOCK) == 0 ? 0 : 1;
    };
    EXPECT_EQ(run_child(in.out.get(), out.in.get(), main), 0);
}

// ref: the reader is the caller's.
task<> read_one(pipe_reader& from, result<std::size_t>& out) {
    std::string text(10, '?');
    out = co_await from.read_some(test::space_of(text));
}

// 0 where a read of standard input that waits is stopped.
task<int> stop_a_read() {
    result<pipe_reader> in = standard_input();
    result<std::size_t> count = 0;
    scope s;
    s.spawn(read_one(*in, count));
    co_await test::settle();
    const bool waited = s.size() == 1;
    s.request_stop();
    co_await s.join();
    co_return waited && !count && count.error() == std::errc::operation_canceled ? 0 : 1;
}

TEST(StandardStreamsTest, AReadOfABlockingPipeIsStopped) {
    const test::pipe_pair in;
    EXPECT_EQ(run_child(in.out.get(), -1, stop_a_read), 0);
}

TEST(StandardStreamsTest, ANonblockingInputIsWaitedFor) {
    const test::pipe_pair in;
    ASSERT_EQ(::fcntl(in.out.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(run_child(in.out.get(), -1, stop_a_read), 0);
}

TEST(StandardStreamsTest, AnOutputThatNobodyReadsIsAnError) {
    test::pipe_pair in;
    test::pipe_pair out;
    in.put('w');
    out.out.reset();
    EXPECT_EQ(run_child(in.out.get(), out.in.get(), copy_input_to_output), EPIPE);
}

TEST(StandardStreamsTest, AFullDiskIsAnError) {
    const test::pipe_pair in;
    in.put('w');
    const test::descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(run_child(in.out.get(), full.get(), copy_input_to_output), ENOSPC);
}

struct terminal {
    terminal() {
        int ours = -1;
        int theirs = -1;
        if (::openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) {
            throw std::system_error(errno, std::system_category(), "openpty");
        }
        master = test::descriptor(ours);
        slave = test::descriptor(theirs);
    }
    test::descriptor master;
    test::descriptor slave;
};

TEST(StandardStreamsTest, ATerminalIsReadByTheLine) {
    const terminal tty;
    const char typed[] = {'w', 'e', 'i', 'r', '\n', 4};  // the last one is Ctrl-D
    ASSERT_EQ(::write(tty.master.get(), typed, sizeof typed), 6);
    EXPECT_EQ(run_child(tty.slave.get(), tty.slave.get(), copy_input_to_output), 0);
    std::string shown(100, '?');
    const ssize_t count = ::read(tty.master.get(), shown.data(), shown.size());
    ASSERT_GT(count, 0);
    shown.resize(static_cast<std::size_t>(count));
    EXPECT_NE(shown.find("weir\r\nweir\r\n"), std::string::npos) << "echoed and copied: " << shown;
}

TEST(StandardStreamsTest, AReadOfATerminalIsStopped) {
    const terminal tty;
    EXPECT_EQ(run_child(tty.slave.get(), -1, stop_a_read), 0);
    // The same, nonblocking.
    ASSERT_EQ(::fcntl(tty.slave.get(), F_SETFL, O_RDWR | O_NONBLOCK), 0);
    EXPECT_EQ(run_child(tty.slave.get(), -1, stop_a_read), 0);
}

TEST(StandardStreamsTest, AMissingStreamIsAnError) {
    const auto main = []() -> task<int> {
        ::close(STDIN_FILENO);
        const result<pipe_reader> in = standard_input();
        co_return !in && in.error() == std::errc::bad_file_descriptor ? 0 : 1;
    };
    EXPECT_EQ(run_child(-1, -1, main), 0);
}

TEST(StandardStreamsTest, ClosingOneLeavesTheProcesssOwnOpen) {
    const auto main = []() -> task<int> {
        result<pipe_writer> out = standard_output();
        result<pipe_writer> error = standard_error();
        const bool apart = out->fd() > STDERR_FILENO && error->fd() > STDERR_FILENO;
        out->close();
        co_return apart&& ::fcntl(STDOUT_FILENO, F_GETFD) != -1 ? 0 : 1;
    };
    EXPECT_EQ(run_child(-1, -1, main), 0);
}

}  // namespace
}  // namespace weir
