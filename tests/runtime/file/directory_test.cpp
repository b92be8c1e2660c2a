#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <weir/runtime/file/directory.hpp>

#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

using listing = std::map<std::string, file_kind>;

// ref: the listing is the test's. Yields the number of batches.
task<std::size_t> list(std::string path, listing& into) {
    result<directory> opened = co_await directory::open(std::move(path));
    std::size_t batches = 0;
    while (true) {
        const auto batch = co_await opened->next_batch();
        if (batch.value().empty()) {
            co_return batches;
        }
        ++batches;
        EXPECT_LE(batch->size(), directory::batch_bytes / 24);
        for (const directory_entry& entry : *batch) {
            EXPECT_TRUE(into.emplace(std::string(entry.name), entry.kind).second) << entry.name;
        }
    }
}

TEST(DirectoryTest, EveryEntryIsListedWithItsKind) {
    const test::temporary_folder folder;
    std::ofstream(folder.file("file")) << "x";
    ASSERT_EQ(::mkdir(folder.file("folder").c_str(), 0700), 0);
    ASSERT_EQ(::symlink("nowhere", folder.file("link").c_str()), 0);
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    listing found;
    EXPECT_EQ(test::run_test(list(folder.path(), found)), 1U);
    EXPECT_EQ(found, (listing{{"file", file_kind::regular},
                              {"folder", file_kind::directory},
                              {"link", file_kind::symbolic_link},
                              {"pipe", file_kind::pipe}}));
}

TEST(DirectoryTest, AnEmptyOneHasNoBatch) {
    const test::temporary_folder folder;
    listing found;
    EXPECT_EQ(test::run_test(list(folder.path(), found)), 0U);
}

TEST(DirectoryTest, ALargeOneComesInSeveralBatches) {
    const test::temporary_folder folder;
    constexpr std::size_t count = 3000;
    for (std::size_t number = 0; number < count; ++number) {
        std::ofstream(folder.file("entry_with_a_rather_long_name_" + std::to_string(number)));
    }
    listing found;
    EXPECT_GE(test::run_test(list(folder.path(), found)), 3U);
    EXPECT_EQ(found.size(), count);
}

task<> open_what_is_none(std::string folder) {
    EXPECT_EQ((co_await directory::open(folder + "/none")).error(),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ((co_await directory::open("/dev/null")).error(), std::errc::not_a_directory);
    EXPECT_EQ((co_await directory::open(std::string("/tmp\0x", 6))).error(),
              std::errc::invalid_argument);
}

TEST(DirectoryTest, WhatIsNoDirectoryIsAnError) {
    const test::temporary_folder folder;
    test::run_test(open_what_is_none(folder.path()));
}

task<> stop_between_batches(std::string folder) {
    result<directory> opened = co_await directory::open(std::move(folder));
    scheduler::current()->running()->request_stop();
    const auto batch = co_await opened->next_batch();
    EXPECT_FALSE(batch);
    EXPECT_EQ(batch.error(), std::errc::operation_canceled);
}

TEST(DirectoryTest, AStopEndsTheListing) {
    const test::temporary_folder folder;
    test::run_test(stop_between_batches(folder.path()));
}

}  // namespace
}  // namespace weir
