#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <system_error>

#include <weir/runtime/result.hpp>

namespace weir {
namespace {

TEST(ResultTest, EveryErrorHasATextOfItsOwn) {
    EXPECT_EQ(make_error_code(errc::inbox_full).message(), "the loop's inbox is full");
    EXPECT_EQ(make_error_code(errc::channel_closed).message(), "the channel is closed");
    EXPECT_EQ(make_error_code(errc::ring_unavailable).message(), "io_uring is not available");
    EXPECT_EQ(make_error_code(errc::loop_already_running).message(), "the loop is already running");
}

TEST(ResultTest, AnUnknownValueIsNamedInItsText) {
    const std::error_code unknown(77, runtime_category());
    EXPECT_EQ(unknown.message(), "unknown weir error 77");
}

TEST(ResultTest, ErrorsBelongToTheWeirCategory) {
    const std::error_code code = errc::channel_closed;
    EXPECT_EQ(code.category(), runtime_category());
    EXPECT_STREQ(code.category().name(), "weir");
    EXPECT_EQ(code, errc::channel_closed);
    EXPECT_NE(code, errc::inbox_full);
}

TEST(ResultTest, NoErrorHasTheValueOfSuccess) {
    EXPECT_TRUE(make_error_code(errc::inbox_full));
    EXPECT_TRUE(make_error_code(errc::loop_already_running));
}

TEST(ResultTest, ACountFromTheKernelIsAValue) {
    EXPECT_EQ(result_from_kernel(0).value(), 0);
    EXPECT_EQ(result_from_kernel(4096).value(), 4096);
}

TEST(ResultTest, ANegativeCompletionKeepsItsErrno) {
    const result<int> read = result_from_kernel(-ECONNRESET);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().value(), ECONNRESET);
    EXPECT_EQ(read.error().category(), std::system_category());
    EXPECT_EQ(read.error(), std::errc::connection_reset);
}

TEST(ResultTest, ACanceledOperationComparesWithTheStandardsCondition) {
    EXPECT_EQ(result_from_kernel(-ECANCELED).error(), std::errc::operation_canceled);
}

TEST(ResultTest, StopAndTimeoutAreDifferentExceptionsWithATextEach) {
    EXPECT_STREQ(canceled().what(), "canceled");
    EXPECT_STREQ(timed_out().what(), "timed out");
    EXPECT_THROW(throw canceled(), std::exception);
    EXPECT_THROW(
        {
            try {
                throw timed_out();
            } catch (const canceled&) {
            }
        },
        timed_out);
}

}  // namespace
}  // namespace weir
