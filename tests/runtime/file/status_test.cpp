#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>

#include <weir/runtime/file/contents.hpp>
#include <weir/runtime/file/path.hpp>
#include <weir/runtime/file/status.hpp>

#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(FileStatusTest, EveryKindIsToldFromTheMode) {
    EXPECT_EQ(detail::kind_from_mode(S_IFREG | 0644U), file_kind::regular);
    EXPECT_EQ(detail::kind_from_mode(S_IFDIR), file_kind::directory);
    EXPECT_EQ(detail::kind_from_mode(S_IFLNK), file_kind::symbolic_link);
    EXPECT_EQ(detail::kind_from_mode(S_IFIFO), file_kind::pipe);
    EXPECT_EQ(detail::kind_from_mode(S_IFSOCK), file_kind::socket);
    EXPECT_EQ(detail::kind_from_mode(S_IFBLK), file_kind::block_device);
    EXPECT_EQ(detail::kind_from_mode(S_IFCHR), file_kind::character_device);
    EXPECT_EQ(detail::kind_from_mode(0), file_kind::unknown);
}

task<> compare_with_stat(std::string path) {
    EXPECT_TRUE(co_await write_file(path, "12345", 0640));
    struct stat expected = {};
    EXPECT_EQ(::stat(path.c_str(), &expected), 0);
    const result<file_status> found = co_await path_status(path);
    EXPECT_TRUE(found);
    EXPECT_EQ(found->kind, file_kind::regular);
    EXPECT_EQ(found->size, 5U);
    EXPECT_EQ(found->permissions, expected.st_mode & 07777U);
    EXPECT_EQ(found->inode, expected.st_ino);
    EXPECT_EQ(found->device, expected.st_dev);
    EXPECT_EQ(found->links, expected.st_nlink);
    EXPECT_EQ(found->owner, expected.st_uid);
    EXPECT_EQ(found->group, expected.st_gid);
    EXPECT_EQ(found->modified.time_since_epoch(),
              std::chrono::seconds(expected.st_mtim.tv_sec) +
                  std::chrono::nanoseconds(expected.st_mtim.tv_nsec));
    EXPECT_GE(found->changed, found->modified);
}

TEST(FileStatusTest, ItTellsWhatStatTells) {
    const test::temporary_folder folder;
    test::run_test(compare_with_stat(folder.file("five")));
}

}  // namespace
}  // namespace weir
