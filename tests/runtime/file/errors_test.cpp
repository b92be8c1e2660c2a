#include <gtest/gtest.h>

#include <string>

#include <weir/runtime/file/errors.hpp>

namespace weir {
namespace {

TEST(FileErrorsTest, EachHasATextOfItsOwn) {
    const std::error_code end = file_errc::end_of_file;
    const std::error_code large = file_errc::too_large;
    const std::error_code line = file_errc::line_too_long;
    EXPECT_EQ(end.message(), "it ends before all the bytes that were asked for");
    EXPECT_EQ(large.message(), "the file is larger than the limit");
    EXPECT_EQ(line.message(), "the line is longer than the limit");
    EXPECT_EQ(std::string(end.category().name()), "weir.file");
    EXPECT_NE(end, large);
}

TEST(FileErrorsTest, AnUnknownNumberIsNamed) {
    EXPECT_EQ(file_category().message(4711), "unknown file error 4711");
}

}  // namespace
}  // namespace weir
