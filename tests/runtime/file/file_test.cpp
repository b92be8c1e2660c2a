#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/file/errors.hpp>
#include <weir/runtime/file/file.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/bytes.hpp"
#include "support/fake_driver.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr open_mode new_file = open_mode::read | open_mode::write | open_mode::create;

task<file> opened(std::string path, open_mode mode) {
    result<file> made = co_await file::open(std::move(path), mode);
    co_return std::move(made.value());
}

iovec piece_of(std::string& text) { return {.iov_base = text.data(), .iov_len = text.size()}; }

// The text of the file from `offset`, as far as one read of `length` bytes gives it.
task<std::string> text_at(const file* from, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    const result<std::size_t> count = co_await from->read_at(test::space_of(text), offset);
    text.resize(count.value());
    co_return text;
}

task<> write_and_read_back(std::string path) {
    file log = co_await opened(path, new_file);
    EXPECT_TRUE(co_await log.write_at(test::bytes_of("hello weir"), 0));
    EXPECT_EQ(co_await text_at(&log, 0, 5), "hello");
    EXPECT_EQ(co_await text_at(&log, 6, 100), "weir") << "a short read at the end";
    EXPECT_EQ(co_await text_at(&log, 10, 100), "") << "nothing behind it";
    EXPECT_TRUE(co_await log.write_at(test::bytes_of("W"), 6));
    EXPECT_EQ(co_await text_at(&log, 0, 100), "hello Weir");
    EXPECT_TRUE(co_await log.sync());
    EXPECT_TRUE(co_await log.sync_data());
    EXPECT_TRUE(co_await log.close());
    EXPECT_EQ(log.fd(), -1);
    EXPECT_TRUE(co_await log.close());
}

TEST(FileTest, WhatIsWrittenIsReadBack) {
    const test::temporary_folder folder;
    test::run_test(write_and_read_back(folder.file("log")));
}

task<> read_exactly(std::string path) {
    const file log = co_await opened(path, new_file);
    EXPECT_TRUE(co_await log.write_at(test::bytes_of("0123456789"), 0));
    std::string five(5, '?');
    EXPECT_TRUE(co_await log.read_exactly_at(test::space_of(five), 5));
    EXPECT_EQ(five, "56789");
    const result<void> beyond = co_await log.read_exactly_at(test::space_of(five), 6);
    EXPECT_FALSE(beyond);
    EXPECT_EQ(beyond.error(), file_errc::end_of_file);
    EXPECT_TRUE(co_await log.read_exactly_at(std::span<std::byte>(), 100)) << "nothing is asked";
}

TEST(FileTest, ReadExactlyFailsWhereTheFileEndsBefore) {
    const test::temporary_folder folder;
    test::run_test(read_exactly(folder.file("log")));
}

task<> append_and_share(std::string path) {
    const file first = co_await opened(path, new_file);
    const file second = co_await opened(path, open_mode::write);
    EXPECT_TRUE(co_await first.append(test::bytes_of("one,")));
    EXPECT_TRUE(co_await second.append(test::bytes_of("two,")));
    EXPECT_TRUE(co_await first.append(test::bytes_of("three")));
    EXPECT_EQ(co_await text_at(&first, 0, 100), "one,two,three");
    const file always = co_await opened(path, open_mode::write | open_mode::append);
    EXPECT_TRUE(co_await always.write_at(test::bytes_of("!"), 0));
    EXPECT_EQ(co_await text_at(&first, 0, 100), "one,two,three!");
}

TEST(FileTest, AppendedBytesGoToTheEndOfTheMoment) {
    const test::temporary_folder folder;
    test::run_test(append_and_share(folder.file("log")));
}

task<> read_and_write_pieces(std::string path) {
    const file log = co_await opened(path, new_file);
    std::string a = "abc";
    std::string none;
    std::string b = "defgh";
    const std::array pieces = {piece_of(none), piece_of(a), piece_of(none), piece_of(b),
                               piece_of(none)};
    EXPECT_TRUE(co_await log.write_vectored_at(pieces, 1));
    EXPECT_EQ(co_await text_at(&log, 1, 100), "abcdefgh");
    EXPECT_TRUE(co_await log.write_vectored_at(std::span<const iovec>(), 0));
    std::string c(4, '?');
    std::string d(10, '?');
    const std::array into = {piece_of(c), piece_of(d)};
    EXPECT_EQ(co_await log.read_vectored_at(into, 1), 8U);
    EXPECT_EQ(c, "abcd");
    EXPECT_EQ(d, "efgh??????");
}

TEST(FileTest, PiecesAreWrittenOneBehindTheOther) {
    const test::temporary_folder folder;
    test::run_test(read_and_write_pieces(folder.file("log")));
}

task<> write_many_pieces(std::string path) {
    const file log = co_await opened(path, new_file);
    std::string number = "0123456789";
    const std::vector<iovec> pieces(2500, piece_of(number));  // one call takes 1,024
    EXPECT_TRUE(co_await log.write_vectored_at(pieces, 0));
    const result<file_status> found = co_await log.status();
    EXPECT_EQ(found->size, 25'000U);
    EXPECT_EQ(co_await text_at(&log, 24'985, 100), "567890123456789");
}

TEST(FileTest, MorePiecesThanOneCallTakesAreWritten) {
    const test::temporary_folder folder;
    test::run_test(write_many_pieces(folder.file("log")));
}

// A write goes on where a short one ended: the limit of a file's size makes the first short, and
// the rest then fails.
task<std::error_code> write_to_the_limit(std::string path, bool in_pieces) {
    const file log = co_await opened(path, new_file);
    std::string text(3000, 'x');
    const std::array pieces = {piece_of(text), piece_of(text)};
    const std::string whole(6000, 'x');
    const result<void> done = in_pieces ? co_await log.write_vectored_at(pieces, 0)
                                        : co_await log.write_at(test::bytes_of(whole), 0);
    const result<file_status> found = co_await log.status();
    EXPECT_EQ(found->size, 4096U);
    co_return done ? std::error_code() : done.error();
}

void limit_file_size(rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::signal(SIGXFSZ, SIG_IGN);
}

TEST(FileDeathTest, AShortWriteIsCompletedOrFails) {
    const test::temporary_folder folder;
    EXPECT_EXIT(
        {
            limit_file_size(4096);
            const bool plain = test::run_test(write_to_the_limit(folder.file("a"), false)) ==
                               std::errc::file_too_large;
            const bool pieces = test::run_test(write_to_the_limit(folder.file("b"), true)) ==
                                std::errc::file_too_large;
            std::_Exit(plain && pieces && !testing::Test::HasFailure() ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

task<> change_its_size(std::string path) {
    const file log = co_await opened(path, new_file);
    EXPECT_TRUE(co_await log.write_at(test::bytes_of("0123456789"), 0));
    EXPECT_TRUE(co_await log.truncate(4));
    EXPECT_EQ(co_await text_at(&log, 0, 100), "0123");
    EXPECT_TRUE(co_await log.truncate(6));
    EXPECT_EQ(co_await text_at(&log, 0, 100), std::string("0123\0\0", 6));
    EXPECT_TRUE(co_await log.allocate(0, 8192));
    const result<file_status> found = co_await log.status();
    EXPECT_EQ(found->size, 8192U);
    EXPECT_GE(found->allocated, 8192U);
}

TEST(FileTest, ItsSizeIsChangedByTruncateAndAllocate) {
    const test::temporary_folder folder;
    test::run_test(change_its_size(folder.file("log")));
}

task<std::error_code> error_of_open(std::string path, open_mode mode) {
    const result<file> made = co_await file::open(std::move(path), mode);
    co_return made ? std::error_code() : made.error();
}

TEST(FileTest, AFileThatCannotBeOpenedIsAnError) {
    const test::temporary_folder folder;
    const auto error = [&](const std::string& name, open_mode mode) {
        return test::run_test(error_of_open(folder.file(name), mode));
    };
    EXPECT_EQ(error("none", open_mode::read), std::errc::no_such_file_or_directory);
    EXPECT_EQ(error(".", open_mode::write), std::errc::is_a_directory);
    EXPECT_EQ(error("new", new_file | open_mode::exclusive), std::error_code());
    EXPECT_EQ(error("new", new_file | open_mode::exclusive), std::errc::file_exists);
    EXPECT_EQ(error("new/below", open_mode::read), std::errc::not_a_directory);
    EXPECT_EQ(error("new", open_mode::create), std::errc::invalid_argument);
    EXPECT_EQ(error("new", open_mode()), std::errc::invalid_argument);
    EXPECT_EQ(error(std::string("new\0tail", 8), open_mode::read), std::errc::invalid_argument);
    ASSERT_EQ(::symlink("new", folder.file("link").c_str()), 0);
    EXPECT_EQ(error("link", open_mode::read), std::error_code());
    EXPECT_EQ(error("link", open_mode::read | open_mode::no_follow),
              std::errc::too_many_symbolic_link_levels);
}

task<> read_a_directory(std::string path) {
    const file folder = co_await opened(path, open_mode::read);
    std::string space(10, '?');
    const result<std::size_t> count = co_await folder.read_at(test::space_of(space), 0);
    EXPECT_FALSE(count);
    EXPECT_EQ(count.error(), std::errc::is_a_directory);
}

TEST(FileTest, ADirectoryCannotBeRead) {
    const test::temporary_folder folder;
    test::run_test(read_a_directory(folder.path()));
}

task<> fill_the_disk() {
    const file full = co_await opened("/dev/full", open_mode::write);
    const result<void> written = co_await full.write_at(test::bytes_of("x"), 0);
    EXPECT_FALSE(written);
    EXPECT_EQ(written.error(), std::errc::no_space_on_device);
}

TEST(FileTest, AFullDiskIsAnError) { test::run_test(fill_the_disk()); }

void forbid_descriptors() {
    const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(FileDeathTest, WhereNoDescriptorIsLeftOpenSaysSo) {
#ifdef WEIR_ASAN
    GTEST_SKIP() << "the sanitizers open descriptors themselves when they look at memory";
#endif
    EXPECT_EXIT(
        {
            test::virtual_loop on;
            on.run([]() -> task<> { co_return; }());
            forbid_descriptors();
            const std::error_code error = on.run(error_of_open("/dev/null", open_mode::read));
            std::_Exit(error == std::errc::too_many_files_open ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

TEST(FileDeathTest, AnOffsetThatNoFileHasIsAProgrammersError) {
    const file nothing((file_descriptor()));
    EXPECT_DEATH(static_cast<void>(nothing.write_at(std::span<const std::byte>(), UINT64_MAX)),
                 "at most 2\\^63 - 1");
}

task<> keep_error(task<std::error_code> body, std::error_code& out) {
    out = co_await std::move(body);
}

// Nobody opens the other end of this pipe, so the open waits in a worker of the kernel (where it
// may create a file; else the kernel first tries without waiting, which ends with an error here).
task<> stop_an_open(std::string path) {
    std::error_code error;
    scope s;
    s.spawn(keep_error(error_of_open(path, open_mode::write | open_mode::create), error));
    co_await test::settle();
    EXPECT_EQ(s.size(), 1U) << "pending before";
    s.request_stop();
    co_await s.join();
    EXPECT_EQ(error, std::errc::operation_canceled);
    const std::error_code at_once = co_await error_of_open(path, open_mode::write);
    EXPECT_TRUE(at_once == std::errc::operation_canceled || at_once.value() == ENXIO) << at_once;
}

TEST(FileTest, AnOpenThatWaitsIsStopped) {
    const test::temporary_folder folder;
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    test::run_test(stop_an_open(folder.file("pipe")));
}

task<> close_it(int number, std::error_code& error) {
    file closing{file_descriptor(number)};
    const result<void> closed = co_await closing.close();
    error = closed ? std::error_code() : closed.error();
}

task<> close_and_stop(int number, std::error_code& error) {
    scope s;
    s.spawn(close_it(number, error));
    co_await yield();
    s.request_stop();
    co_await s.join();
}

// The kernel frees the number before the file system may be interrupted: it may be another's by
// then.
TEST(FileTest, AnInterruptedCloseIsNotMadeTwice) {
    for (const int outcome : {-EINTR, -512}) {
        auto kernel = std::make_unique<test::fake_driver>();
        kernel->script(test::scripted(1ms, outcome, true));
        event_loop loop(std::move(kernel));
        const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        std::error_code error;
        loop.run(close_and_stop(number, error));
        EXPECT_EQ(error, std::errc::interrupted);
        EXPECT_EQ(::close(number), 0) << "nobody else has closed it";
    }
}

task<> use_it_when_stopped(std::string path, std::vector<std::error_code>& errors) {
    file log = co_await opened(path, new_file);
    const int fd = log.fd();
    scheduler::current()->running()->request_stop();
    std::string space(10, '?');
    errors.push_back((co_await log.read_at(test::space_of(space), 0)).error());
    errors.push_back((co_await log.write_at(test::bytes_of("x"), 0)).error());
    errors.push_back((co_await log.sync()).error());
    errors.push_back((co_await log.truncate(1)).error());
    errors.push_back((co_await log.status()).error());
    EXPECT_TRUE(co_await log.close()) << "also when it is stopped";
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST(FileTest, AStoppedTaskGetsAnErrorFromEveryCallButClose) {
    const test::temporary_folder folder;
    std::vector<std::error_code> errors;
    const std::size_t before = test::open_descriptors();
    test::run_test(use_it_when_stopped(folder.file("log"), errors));
    EXPECT_EQ(test::open_descriptors(), before);
    EXPECT_EQ(errors.size(), 5U);
    for (const std::error_code& error : errors) {
        EXPECT_EQ(error, std::errc::operation_canceled);
    }
}

task<std::size_t> allocations_of_warm_calls(std::string path) {
    const file log = co_await opened(path, new_file);
    std::string space(10, '?');
    std::size_t allocations = 0;
    for (int round = 0; round < 20; ++round) {
        const test::allocation_counter counter;
        EXPECT_TRUE(co_await log.write_at(test::bytes_of("0123456789"), 0));
        EXPECT_EQ(co_await log.read_at(test::space_of(space), 0), 10U);
        EXPECT_TRUE(co_await log.read_exactly_at(test::space_of(space), 0));
        EXPECT_TRUE(co_await log.sync_data());
        EXPECT_TRUE(co_await log.status());
        allocations = counter.allocations();
    }
    co_return allocations;
}

TEST(FileTest, WarmCallsAllocateNothing) {
    const test::temporary_folder folder;
    EXPECT_EQ(test::run_test(allocations_of_warm_calls(folder.file("log"))), 0U);
}

}  // namespace
}  // namespace weir
