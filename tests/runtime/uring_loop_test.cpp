// Loops on the production driver: small rings, stops during I/O, descriptors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/uring_driver.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/child_process.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<> log_nop(std::vector<int>& log, int number) {
    EXPECT_TRUE(co_await nop());
    log.push_back(number);
}

task<> many_nops(std::vector<int>& log, int count) {
    scope s;
    for (int number = 0; number < count; ++number) {
        s.spawn(log_nop(log, number));
    }
    co_await s.join();
}

struct ring_size {
    unsigned entries;
    unsigned in_flight;
};

class SmallRingTest : public testing::TestWithParam<ring_size> {};

TEST_P(SmallRingTest, EveryRoundTripIsMadeInOrder) {
    event_loop_options options;
    options.ring_entries = GetParam().entries;
    options.max_in_flight = GetParam().in_flight;
    event_loop loop(options);
    std::vector<int> log;
    loop.run(many_nops(log, 200));
    std::vector<int> expected(200);
    for (int number = 0; number < 200; ++number) {
        expected[static_cast<std::size_t>(number)] = number;
    }
    EXPECT_EQ(log, expected);
    if (GetParam().in_flight < 200) {
        EXPECT_GT(loop.counters().deferred, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, SmallRingTest,
                         testing::Values(ring_size{1, 1}, ring_size{1, 2}, ring_size{1, 200},
                                         ring_size{2, 3}, ring_size{3, 200}, ring_size{256, 1},
                                         ring_size{256, 200}));

task<result<int>> read_one(const test::pipe_pair* pipe) {
    char byte = 0;
    co_return co_await test::read_byte(pipe, &byte);
}

task<> keep_read(const test::pipe_pair* pipe, result<int>& out) { out = co_await read_one(pipe); }

task<> stop_a_read(const test::pipe_pair* pipe, result<int>& out) {
    scope s;
    s.spawn(keep_read(pipe, out));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    s.request_stop();
    EXPECT_EQ(s.size(), 1U);
    co_await s.join();
}

TEST(UringLoopTest, AStopDuringAReadEndsItWithAnErrorCode) {
    const test::pipe_pair pipe;
    result<int> out = 0;
    test::run_test(stop_a_read(&pipe, out));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
}

task<> stop_two_reads_one_deferred(const test::pipe_pair* pipe) {
    result<int> first = 0;
    result<int> second = 0;
    result<int> third = 0;
    stop_source source;
    scope s;
    s.spawn(keep_read(pipe, first));
    s.spawn(with_stop(source, keep_read(pipe, second)));
    s.spawn(keep_read(pipe, third));
    co_await test::settle();
    EXPECT_GE(event_loop::current()->counters().deferred, 2U);
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(s.size(), 2U);
    EXPECT_FALSE(second);
    pipe->put('1');
    pipe->put('3');
    co_await s.join();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(third, 1);
}

TEST(UringLoopTest, AStopReachesAReadThatStillWaitsForRoom) {
    event_loop_options options;
    options.max_in_flight = 1;
    test::virtual_loop on(options);
    const test::pipe_pair pipe;
    on.run(stop_two_reads_one_deferred(&pipe));
}

TEST(UringLoopTest, ATimeoutEndsARead) {
    const test::pipe_pair pipe;
    const result<int> got = test::run_test(with_timeout(1s, read_one(&pipe)));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), std::errc::timed_out);
}

task<> stop_all_reads(const test::pipe_pair* pipe, std::vector<result<int>>& out) {
    scope s;
    for (result<int>& one : out) {
        s.spawn(keep_read(pipe, one));
    }
    co_await test::settle();
    s.request_stop();
    co_await s.join();
}

TEST(UringLoopTest, AStopEndsReadsByTheHundredInASmallRing) {
    event_loop_options options;
    options.ring_entries = 2;
    options.max_in_flight = 50;
    test::virtual_loop on(options);
    const test::pipe_pair pipe;
    std::vector<result<int>> out(300, 0);
    on.run(stop_all_reads(&pipe, out));
    for (const result<int>& one : out) {
        ASSERT_FALSE(one);
        EXPECT_EQ(one.error(), std::errc::operation_canceled);
    }
}

task<> copy_bytes(const test::pipe_pair* from, const test::pipe_pair* to, int count) {
    for (int number = 0; number < count; ++number) {
        char byte = 0;
        EXPECT_EQ(co_await test::read_byte(from, &byte), 1);
        test::io_probe write(io_opcode::write, to->in.get(), &byte, 1);
        EXPECT_EQ(co_await write, 1);
    }
}

task<> ping_pong(const test::pipe_pair* there, const test::pipe_pair* back, int count) {
    scope s;
    s.spawn(copy_bytes(there, back, count));
    there->put('p');
    s.spawn(copy_bytes(back, there, count - 1));
    co_await s.join();
    EXPECT_EQ(co_await read_one(back), 1);
}

TEST(UringLoopTest, BytesPassBetweenTasksThroughTheKernel) {
    event_loop loop;
    const test::pipe_pair there;
    const test::pipe_pair back;
    loop.run(ping_pong(&there, &back, 500));
}

// The descriptors of this process that io_uring and its wakes use.
std::vector<int> ring_descriptors() {
    std::vector<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        const std::string target = std::filesystem::read_symlink(entry, ignored).string();
        if (target.find("io_uring") != std::string::npos ||
            target.find("eventfd") != std::string::npos) {
            found.push_back(std::stoi(entry.path().filename().string()));
        }
    }
    return found;
}

TEST(UringLoopTest, ALoopsDescriptorsAreClosedOnExecAndWithTheLoop) {
    const std::size_t before = ring_descriptors().size();
    {
        event_loop loop;
        loop.run([]() -> task<> { EXPECT_TRUE(co_await nop()); }());
        const std::vector<int> open = ring_descriptors();
        EXPECT_EQ(open.size(), before + 2);
        for (const int fd : open) {
            EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
        }
    }
    EXPECT_EQ(ring_descriptors().size(), before);
}

TEST(UringLoopTest, ALoopMayBeMadeOnOneThreadAndRunOnAnother) {
    event_loop loop;
    bool done = false;
    std::jthread([&] {
        done = loop.run([]() -> task<result<void>> { co_return co_await nop(); }()).has_value();
    }).join();
    EXPECT_TRUE(done);
}

task<result<void>> one_nop() { co_return co_await nop(); }

// The exit code of a child that runs `work`.
template <class Work>
int exit_code_of_child(Work work) {
    const pid_t child = fork();
    if (child == 0) {
        _exit(work());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

task<> fork_inside() {
    EXPECT_TRUE(co_await nop());
    const int code = exit_code_of_child([] { return 7; });
    EXPECT_EQ(code, 7);
    EXPECT_TRUE(co_await nop());
    co_await sleep_for(1us);
}

TEST(UringLoopTest, AForkedChildDoesNotDisturbTheLoop) {
    event_loop loop;
    loop.run(fork_inside());
    EXPECT_TRUE(loop.run(one_nop()));
}

TEST(UringLoopTest, AForkedChildMayMakeALoopOfItsOwn) {
    event_loop loop;
    EXPECT_TRUE(loop.run(one_nop()));
    const int code = exit_code_of_child([] {
        event_loop own;
        return own.run(one_nop()) ? 5 : 1;
    });
    EXPECT_EQ(code, 5);
    EXPECT_TRUE(loop.run(one_nop()));
}

// Completions that the kernel could not keep: operations that may never end.
TEST(UringLoopDeathTest, AnEnterThatCannotGoOnEndsTheProcess) {
    EXPECT_EXIT(
        {
            event_loop loop;
            test::refuse_system_call(__NR_io_uring_enter, EBADR);
            static_cast<void>(loop.run(one_nop()));
        },
        testing::KilledBySignal(SIGABRT), "weir: io_uring_enter failed: ");
}

}  // namespace
}  // namespace weir
