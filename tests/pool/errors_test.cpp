// The pool's error codes, their category and texts.
#include <weir/pool/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <system_error>

namespace weir {
namespace {

using testing::HasSubstr;

constexpr pool_errc all_codes[] = {pool_errc::full, pool_errc::closed, pool_errc::would_deadlock,
                                   pool_errc::admission_timed_out, pool_errc::expired};

TEST(PoolErrorsTest, CodesConvertToErrorCodesOfTheirCategory) {
    for (const pool_errc code : all_codes) {
        const std::error_code converted = code;
        EXPECT_EQ(converted.category(), pool_category());
        EXPECT_EQ(converted.value(), static_cast<int>(code));
        EXPECT_TRUE(converted) << "no code may look like success";
        EXPECT_EQ(converted, code);
    }
    EXPECT_STREQ(pool_category().name(), "weir.pool");
}

TEST(PoolErrorsTest, EachCodeHasATextOfItsOwn) {
    std::set<std::string> texts;
    for (const pool_errc code : all_codes) {
        texts.insert(make_error_code(code).message());
    }
    EXPECT_EQ(texts.size(), std::size(all_codes));
    EXPECT_EQ(make_error_code(pool_errc::closed).message(), "the pool is closed");
    EXPECT_EQ(pool_category().message(99), "unknown pool error 99");
}

TEST(PoolErrorsTest, AnExceptionCarriesTheCodeAndNamesThePool) {
    const pool_error error(pool_errc::closed, "downloads");
    EXPECT_EQ(error.error(), pool_errc::closed);
    EXPECT_EQ(error.code(), pool_errc::closed);
    EXPECT_THAT(error.what(), HasSubstr("pool \"downloads\""));
    EXPECT_THAT(error.what(), HasSubstr("the pool is closed"));
}

}  // namespace
}  // namespace weir
