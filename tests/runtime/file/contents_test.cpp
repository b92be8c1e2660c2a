#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <system_error>

#include <weir/runtime/file/contents.hpp>
#include <weir/runtime/file/errors.hpp>

#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

task<> write_and_read(std::string path, std::string bytes) {
    EXPECT_TRUE(co_await write_file(path, bytes));
    const std::size_t size = bytes.size();
    EXPECT_EQ(co_await read_all(path, size), bytes) << "the limit itself is allowed";
    EXPECT_EQ(co_await read_all(path, SIZE_MAX), bytes);
    if (size != 0) {
        const result<std::string> beyond = co_await read_all(path, size - 1);
        EXPECT_FALSE(beyond);
        EXPECT_EQ(beyond.error(), file_errc::too_large);
    }
}

TEST(ContentsTest, AFileOfAnySizeIsWrittenAndReadBack) {
    const test::temporary_folder folder;
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 3'000'000U}) {
        test::run_test(write_and_read(folder.file("f"), std::string(size, 'w')));
    }
}

task<> replace(std::string path) {
    EXPECT_TRUE(co_await write_file(path, "a long text"));
    EXPECT_TRUE(co_await write_file(path, "short"));
    EXPECT_EQ(co_await read_all(path, 100), "short");
}

TEST(ContentsTest, WritingReplacesWhatWasThere) {
    const test::temporary_folder folder;
    test::run_test(replace(folder.file("f")));
}

// Its size reads as 0.
task<> read_from_proc() {
    const result<std::string> all = co_await read_all("/proc/self/status", 1 << 20);
    EXPECT_TRUE(all);
    EXPECT_NE(all->find("Pid:"), std::string::npos);
    const result<std::string> little = co_await read_all("/proc/self/status", 10);
    EXPECT_FALSE(little);
    EXPECT_EQ(little.error(), file_errc::too_large);
}

TEST(ContentsTest, AFileThatDoesNotKnowItsSizeIsReadAndLimited) {
    test::run_test(read_from_proc());
}

task<> read_without_end() {
    const result<std::string> all = co_await read_all("/dev/zero", 1 << 20);
    EXPECT_FALSE(all);
    EXPECT_EQ(all.error(), file_errc::too_large);
}

TEST(ContentsTest, AFileWithoutEndIsLimited) { test::run_test(read_without_end()); }

task<> fail_each(std::string path) {
    EXPECT_EQ((co_await read_all(path + "/none", 10)).error(),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ((co_await read_all(path, 1 << 20)).error(), std::errc::is_a_directory);
    EXPECT_EQ((co_await write_file(path, "x")).error(), std::errc::is_a_directory);
    EXPECT_EQ((co_await write_file("/dev/full", "x")).error(), std::errc::no_space_on_device);
}

TEST(ContentsTest, ErrorsKeepTheirNumber) {
    const test::temporary_folder folder;
    test::run_test(fail_each(folder.path()));
}

}  // namespace
}  // namespace weir
