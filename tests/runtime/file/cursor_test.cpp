#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <weir/runtime/file/contents.hpp>
#include <weir/runtime/file/cursor.hpp>

#include "support/bytes.hpp"
#include "support/run_test.hpp"
#include "support/temporary_folder.hpp"

namespace weir {
namespace {

task<> go_through(std::string path) {
    const open_mode mode = open_mode::read | open_mode::write | open_mode::create;
    result<file> opened = co_await file::open(std::move(path), mode);
    file_cursor out(*opened);
    EXPECT_TRUE(co_await out.write_all(test::bytes_of("hello ")));
    EXPECT_TRUE(co_await out.write_all(test::bytes_of("weir")));
    EXPECT_EQ(out.position(), 10U);

    file_cursor in(*opened, 2);
    std::string space(6, '?');
    EXPECT_EQ(co_await in.read_some(test::space_of(space)), 6U);
    EXPECT_EQ(space, "llo we");
    EXPECT_EQ(co_await in.read_some(test::space_of(space)), 2U);
    EXPECT_EQ(in.position(), 10U);
    EXPECT_EQ(co_await in.read_some(test::space_of(space)), 0U);
    in.seek(9);
    EXPECT_EQ(co_await in.read_some(test::space_of(space)), 1U);

    EXPECT_TRUE(co_await opened->close());
    EXPECT_FALSE(co_await in.read_some(test::space_of(space)));
    EXPECT_FALSE(co_await out.write_all(test::bytes_of("x")));
    EXPECT_EQ(in.position(), 10U) << "a failure leaves it where it was";
    EXPECT_EQ(out.position(), 10U);
}

TEST(FileCursorTest, EachKeepsAPositionOfItsOwn) {
    const test::temporary_folder folder;
    test::run_test(go_through(folder.file("log")));
}

}  // namespace
}  // namespace weir
