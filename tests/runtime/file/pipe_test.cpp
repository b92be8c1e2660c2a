#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/file/detail/broken_pipe.hpp>
#include <weir/runtime/file/pipe.hpp>

#include "support/allocations.hpp"
#include "support/bytes.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

// ref: the pipe is the test's.
task<> keep_read(pipe_reader& from, std::string& text, result<std::size_t>& out) {
    out = co_await from.read_some(test::space_of(text));
}

// ref: as above; `text` outlives the task.
task<> keep_write(pipe_writer& to, const std::string& text, result<void>& out) {
    out = co_await to.write_all(test::bytes_of(text));
}

task<> read_before_the_write() {
    pipe_ends ends = std::move(make_pipe().value());
    std::string text(10, '?');
    result<std::size_t> count = 99;
    scope s;
    s.spawn(keep_read(ends.reader, text, count));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    EXPECT_TRUE(co_await ends.writer.write_all(test::bytes_of("weir")));
    co_await s.join();
    EXPECT_EQ(count, 4U);
    EXPECT_EQ(text, "weir??????");
    ends.writer.close();
    EXPECT_EQ(co_await ends.reader.read_some(test::space_of(text)), 0U) << "the end";
}

TEST(PipeTest, AReadWaitsForBytes) { test::run_test(read_before_the_write()); }

task<> stop_a_read() {
    pipe_ends ends = std::move(make_pipe().value());
    std::string text(10, '?');
    result<std::size_t> count = 99;
    scope s;
    s.spawn(keep_read(ends.reader, text, count));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    s.request_stop();
    co_await s.join();
    EXPECT_FALSE(count);
    EXPECT_EQ(count.error(), std::errc::operation_canceled);
}

TEST(PipeTest, AReadOfAnEmptyPipeIsStopped) { test::run_test(stop_a_read()); }

// ref: the pipe is the test's.
task<> read_everything(pipe_reader& from, std::string& all) {
    std::string text(5000, '?');
    while (true) {
        const result<std::size_t> count = co_await from.read_some(test::space_of(text));
        if (count.value() == 0) {
            co_return;
        }
        all.append(text, 0, *count);
    }
}

task<> pass_more_than_it_holds() {
    pipe_ends ends = std::move(make_pipe().value());
    std::string sent;
    for (int number = 0; number < 100'000; ++number) {
        sent += std::to_string(number);
    }
    std::string received;
    result<void> done = std::unexpected(std::make_error_code(std::errc::io_error));
    scope s;
    s.spawn(keep_write(ends.writer, sent, done));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "the pipe is full";
    scope readers;
    readers.spawn(read_everything(ends.reader, received));
    co_await s.join();
    ends.writer.close();
    co_await readers.join();
    EXPECT_TRUE(done);
    EXPECT_EQ(received, sent);
}

TEST(PipeTest, AWriteOfMoreThanThePipeHoldsIsCompleted) {
    test::run_test(pass_more_than_it_holds());
}

task<> stop_a_write() {
    pipe_ends ends = std::move(make_pipe().value());
    const std::string sent(1 << 20, 'x');
    result<void> done;
    scope s;
    s.spawn(keep_write(ends.writer, sent, done));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    s.request_stop();
    co_await s.join();
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error(), std::errc::operation_canceled);
}

TEST(PipeTest, AWriteToAFullPipeIsStopped) { test::run_test(stop_a_write()); }

// Both ways of keeping SIGPIPE away: with what this kernel offers, and as on an older one.
class BrokenPipeTest : public testing::TestWithParam<detail::nosignal_support> {
  protected:
    void SetUp() override { detail::learn_nosignal_support(GetParam()); }
    void TearDown() override { detail::learn_nosignal_support(detail::nosignal_support::unknown); }
};

bool sigpipe_is_blocked() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, SIGPIPE) == 1;
}

bool sigpipe_is_pending() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

task<> write_to_nobody() {
    pipe_ends ends = std::move(make_pipe().value());
    ends.reader.close();
    for (int round = 0; round < 3; ++round) {
        const result<void> done = co_await ends.writer.write_all(test::bytes_of("x"));
        EXPECT_FALSE(done);
        EXPECT_EQ(done.error(), std::errc::broken_pipe);
        EXPECT_FALSE(sigpipe_is_blocked());
        EXPECT_FALSE(sigpipe_is_pending());
    }
}

// SIGPIPE stands at its default here, which would end the process.
TEST_P(BrokenPipeTest, AWriteThatNobodyReadsIsAnErrorAndNoSignal) {
    std::signal(SIGPIPE, SIG_DFL);
    test::run_test(write_to_nobody());
}

task<> lose_the_reader_while_it_waits() {
    pipe_ends ends = std::move(make_pipe().value());
    const std::string sent(1 << 20, 'x');
    result<void> done;
    scope s;
    s.spawn(keep_write(ends.writer, sent, done));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    ends.reader.close();
    co_await s.join();
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error(), std::errc::broken_pipe);
    EXPECT_FALSE(sigpipe_is_blocked());
}

TEST_P(BrokenPipeTest, AReaderThatGoesEndsTheWriteThatWaits) {
    std::signal(SIGPIPE, SIG_DFL);
    test::run_test(lose_the_reader_while_it_waits());
}

task<> write_to_a_closed_socket() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pipe_writer writer{file_descriptor(fds[0])};
    file_descriptor(fds[1]).reset();
    const result<void> done = co_await writer.write_all(test::bytes_of("x"));
    EXPECT_FALSE(done);
    EXPECT_EQ(done.error(), std::errc::broken_pipe);
}

TEST_P(BrokenPipeTest, ASocketIsNoDifferent) {
    std::signal(SIGPIPE, SIG_DFL);
    test::run_test(write_to_a_closed_socket());
}

task<> write_while_sigpipe_is_pending() {
    pipe_ends ends = std::move(make_pipe().value());
    ends.reader.close();
    EXPECT_FALSE(co_await ends.writer.write_all(test::bytes_of("x")));
    EXPECT_TRUE(sigpipe_is_blocked());
    EXPECT_TRUE(sigpipe_is_pending());
}

TEST_P(BrokenPipeTest, ASignalThatWasPendingBeforeStays) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    raise(SIGPIPE);
    test::run_test(write_while_sigpipe_is_pending());
    int signal = 0;
    sigwait(&set, &signal);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Ways, BrokenPipeTest,
                         testing::Values(detail::nosignal_support::unknown,
                                         detail::nosignal_support::no));

TEST(PipeDeathTest, TheRestOfTheThreadKeepsItsSignal) {
    const auto break_a_pipe = [] {
        test::run_test(write_to_nobody());
        const test::pipe_pair plain;
        test::pipe_pair broken;
        broken.out.reset();
        broken.put('x');
    };
    std::signal(SIGPIPE, SIG_DFL);
    EXPECT_EXIT(break_a_pipe(), testing::KilledBySignal(SIGPIPE), "");
}

void forbid_descriptors() {
    const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(PipeDeathTest, WhereNoDescriptorIsLeftMakePipeSaysSo) {
#ifdef WEIR_ASAN
    GTEST_SKIP() << "the sanitizers open descriptors themselves when they look at memory";
#endif
    EXPECT_EXIT(
        {
            forbid_descriptors();
            const result<pipe_ends> ends = make_pipe();
            std::_Exit(!ends && ends.error() == std::errc::too_many_files_open ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

task<std::size_t> allocations_of_warm_pipes() {
    pipe_ends ends = std::move(make_pipe().value());
    std::string text(10, '?');
    std::size_t allocations = 1;
    for (int round = 0; round < 20; ++round) {
        const test::allocation_counter counter;
        EXPECT_TRUE(co_await ends.writer.write_all(test::bytes_of("weir")));
        EXPECT_EQ(co_await ends.reader.read_some(test::space_of(text)), 4U);
        allocations = counter.allocations();
    }
    co_return allocations;
}

TEST(PipeTest, WarmReadsAndWritesAllocateNothing) {
    EXPECT_EQ(test::run_test(allocations_of_warm_pipes()), 0U);
}

}  // namespace
}  // namespace weir
