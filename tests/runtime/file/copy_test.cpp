#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <utility>

#include <weir/runtime/file/contents.hpp>
#include <weir/runtime/file/copy.hpp>

#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

constexpr open_mode new_file = open_mode::read | open_mode::write | open_mode::create;

task<file> opened(std::string path, open_mode mode) {
    result<file> made = co_await file::open(std::move(path), mode);
    co_return std::move(made.value());
}

task<> copy_ranges(std::string folder) {
    EXPECT_TRUE(co_await write_file(folder + "/from", "0123456789"));
    const file from = co_await opened(folder + "/from", open_mode::read);
    const file to = co_await opened(folder + "/to", new_file);
    EXPECT_EQ(co_await copy_range(from, 0, to, 0, 4), 4U);
    EXPECT_EQ(co_await read_all(folder + "/to", 100), "0123");
    EXPECT_EQ(co_await copy_range(from, 6, to, 2, 1000), 4U) << "what is left";
    EXPECT_EQ(co_await read_all(folder + "/to", 100), "016789");
    EXPECT_EQ(co_await copy_range(from, 10, to, 0, 1000), 0U);
    EXPECT_EQ(co_await copy_range(from, 0, to, 0, 0), 0U);
    EXPECT_EQ(co_await read_all(folder + "/to", 100), "016789");
}

TEST(CopyTest, ARangeGoesFromOneFileToTheOther) {
    const test::temporary_folder folder;
    test::run_test(copy_ranges(folder.path()));
}

task<> copy_a_large_file(std::string folder) {
    std::string bytes;
    for (int number = 0; bytes.size() < copy_step + 100'000; ++number) {
        bytes += std::to_string(number);
    }
    EXPECT_TRUE(co_await write_file(folder + "/from", bytes));
    const file from = co_await opened(folder + "/from", open_mode::read);
    const file to = co_await opened(folder + "/to", new_file);
    EXPECT_EQ(co_await copy_range(from, 0, to, 0, UINT64_MAX), bytes.size());
    const bool same = (co_await read_all(folder + "/to", bytes.size())).value() == bytes;
    EXPECT_TRUE(same);
}

TEST(CopyTest, AFileOfSeveralStepsIsCopiedWhole) {
    const test::temporary_folder folder;
    test::run_test(copy_a_large_file(folder.path()));
}

// Files of /proc have no size, and copy_file_range(2) is refused by devices.
task<> copy_by_hand(std::string folder) {
    const file from = co_await opened("/proc/self/cmdline", open_mode::read);
    const file to = co_await opened(folder + "/to", new_file);
    const result<std::uint64_t> count = co_await copy_range(from, 0, to, 0, 1 << 20);
    EXPECT_TRUE(count);
    EXPECT_GT(*count, 0U);
    const result<std::string> expected = co_await read_all("/proc/self/cmdline", 1 << 20);
    EXPECT_EQ(co_await read_all(folder + "/to", 1 << 20), expected);

    const file zeros = co_await opened("/dev/zero", open_mode::read);
    EXPECT_EQ(co_await copy_range(zeros, 0, to, 0, 1'000'000), 1'000'000U);
}

TEST(CopyTest, WhatTheKernelDoesNotCopyIsReadAndWritten) {
    const test::temporary_folder folder;
    test::run_test(copy_by_hand(folder.path()));
}

task<> fail_to_copy(std::string folder) {
    EXPECT_TRUE(co_await write_file(folder + "/from", "0123456789"));
    const file from = co_await opened(folder + "/from", open_mode::read);
    const file full = co_await opened("/dev/full", open_mode::write);
    EXPECT_EQ((co_await copy_range(from, 0, full, 0, 10)).error(), std::errc::no_space_on_device);
    EXPECT_EQ((co_await copy_range(from, 0, from, 5, 5)).error(), std::errc::bad_file_descriptor)
        << "open for reading only";
    const file itself = co_await opened(folder, open_mode::read);
    EXPECT_EQ((co_await copy_range(itself, 0, from, 0, 5)).error(), std::errc::is_a_directory);
}

TEST(CopyTest, ErrorsKeepTheirNumber) {
    const test::temporary_folder folder;
    test::run_test(fail_to_copy(folder.path()));
}

task<> stop_first(std::string folder) {
    EXPECT_TRUE(co_await write_file(folder + "/from", "0123456789"));
    const file from = co_await opened(folder + "/from", open_mode::read);
    const file to = co_await opened(folder + "/to", new_file);
    scheduler::current()->running()->request_stop();
    EXPECT_EQ((co_await copy_range(from, 0, to, 0, 10)).error(), std::errc::operation_canceled);
}

TEST(CopyTest, AStopEndsIt) {
    const test::temporary_folder folder;
    test::run_test(stop_first(folder.path()));
}

}  // namespace
}  // namespace weir
