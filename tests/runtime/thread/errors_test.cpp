#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include <weir/runtime/thread/errors.hpp>

namespace weir {
namespace {

TEST(ThreadErrorsTest, EveryCodeHasATextOfItsOwn) {
    const std::string unknown = std::error_code(99, thread_category()).message();
    EXPECT_EQ(unknown, "unknown thread error 99");
    for (const thread_errc code : {thread_errc::full, thread_errc::closed,
                                   thread_errc::would_deadlock, thread_errc::forked}) {
        const std::error_code error = code;
        EXPECT_EQ(&error.category(), &thread_category());
        EXPECT_EQ(error.message().find("unknown"), std::string::npos);
        EXPECT_FALSE(error.message().empty());
    }
    EXPECT_STREQ(thread_category().name(), "weir.thread");
}

TEST(ThreadErrorsTest, SomeAreEqualToConditionsOfTheStandard) {
    EXPECT_EQ(make_error_code(thread_errc::would_deadlock),
              std::errc::resource_deadlock_would_occur);
    EXPECT_EQ(make_error_code(thread_errc::full), std::errc::resource_unavailable_try_again);
    EXPECT_NE(make_error_code(thread_errc::closed), std::errc::resource_unavailable_try_again);
    EXPECT_NE(make_error_code(thread_errc::forked), std::errc::resource_deadlock_would_occur);
}

TEST(ThreadErrorsTest, AnErrorNamesWhoItCameFrom) {
    try {
        detail::throw_thread_error(thread_errc::closed, "\"disk\"");
        FAIL() << "it throws";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), thread_errc::closed);
        EXPECT_STREQ(error.what(), "\"disk\": it is closed");
    }
}

}  // namespace
}  // namespace weir
