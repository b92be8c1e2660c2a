#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/file/contents.hpp>
#include <weir/runtime/file/path.hpp>

#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

task<file_kind> kind_of(std::string path) {
    const result<file_status> found = co_await path_status(std::move(path));
    co_return found ? found->kind : file_kind::unknown;
}

task<> rename_files(std::string folder) {
    EXPECT_TRUE(co_await write_file(folder + "/a", "first"));
    EXPECT_TRUE(co_await write_file(folder + "/b", "second"));
    EXPECT_TRUE(co_await rename_path(folder + "/a", folder + "/b"));
    EXPECT_EQ(co_await read_all(folder + "/b", 100), "first");
    EXPECT_EQ(co_await kind_of(folder + "/a"), file_kind::unknown);
    EXPECT_EQ((co_await rename_path(folder + "/a", folder + "/c")).error(),
              std::errc::no_such_file_or_directory);
}

TEST(PathTest, ARenamedFileTakesThePlaceOfTheOther) {
    const test::temporary_folder folder;
    test::run_test(rename_files(folder.path()));
}

task<> make_and_remove(std::string folder) {
    EXPECT_TRUE(co_await make_directory(folder + "/d", 0700));
    EXPECT_EQ(co_await kind_of(folder + "/d"), file_kind::directory);
    EXPECT_EQ((co_await make_directory(folder + "/d")).error(), std::errc::file_exists);
    EXPECT_TRUE(co_await write_file(folder + "/d/f", "x"));
    EXPECT_EQ((co_await remove_path(folder + "/d")).error(), std::errc::directory_not_empty);
    EXPECT_TRUE(co_await remove_path(folder + "/d/f"));
    EXPECT_TRUE(co_await remove_path(folder + "/d"));
    EXPECT_EQ(co_await kind_of(folder + "/d"), file_kind::unknown);
    EXPECT_EQ((co_await remove_path(folder + "/d")).error(), std::errc::no_such_file_or_directory);
}

TEST(PathTest, FilesAndEmptyDirectoriesAreRemoved) {
    const test::temporary_folder folder;
    test::run_test(make_and_remove(folder.path()));
}

task<> look_at_a_link(std::string folder) {
    EXPECT_TRUE(co_await make_directory(folder + "/d"));
    EXPECT_EQ(::symlink("d", (folder + "/link").c_str()), 0);
    EXPECT_EQ(co_await kind_of(folder + "/link"), file_kind::directory);
    const result<file_status> link = co_await link_status(folder + "/link");
    EXPECT_EQ(link->kind, file_kind::symbolic_link);
    EXPECT_TRUE(co_await remove_path(folder + "/link"));
    EXPECT_EQ(co_await kind_of(folder + "/d"), file_kind::directory) << "only the link goes";
}

TEST(PathTest, ALinkIsFollowedOrNot) {
    const test::temporary_folder folder;
    test::run_test(look_at_a_link(folder.path()));
}

task<> pass_a_nul_byte(std::string path, std::vector<std::error_code>& errors) {
    errors.push_back((co_await make_directory(path)).error());
    errors.push_back((co_await remove_path(path)).error());
    errors.push_back((co_await rename_path(path, "b")).error());
    errors.push_back((co_await rename_path("a", path)).error());
    errors.push_back((co_await path_status(path)).error());
}

TEST(PathTest, ANulByteInAPathIsRefused) {
    std::vector<std::error_code> errors;
    test::run_test(pass_a_nul_byte(std::string("/tmp\0x", 6), errors));
    EXPECT_EQ(errors.size(), 5U);
    for (const std::error_code& error : errors) {
        EXPECT_EQ(error, std::errc::invalid_argument);
    }
}

task<> stop_first(std::string path) {
    scheduler::current()->running()->request_stop();
    EXPECT_EQ((co_await make_directory(path)).error(), std::errc::operation_canceled);
}

TEST(PathTest, AStoppedTaskChangesNothing) {
    const test::temporary_folder folder;
    test::run_test(stop_first(folder.file("d")));
    EXPECT_FALSE(std::filesystem::exists(folder.file("d")));
}

}  // namespace
}  // namespace weir
