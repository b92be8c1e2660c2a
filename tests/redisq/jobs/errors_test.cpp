#include <gtest/gtest.h>
#include <string>
#include <weir/redisq/jobs/errors.hpp>

namespace weir::redisq {
namespace {

TEST(JobErrorsTest, EveryCodeHasItsText) {
    for (int code = 1; code <= static_cast<int>(job_errc::pickled); ++code) {
        const std::error_code made = make_error_code(static_cast<job_errc>(code));
        EXPECT_EQ(made.message().find("unknown error"), std::string::npos) << code;
        EXPECT_STREQ(made.category().name(), "weir.redisq.jobs");
    }
    EXPECT_EQ(job_category().message(999), "unknown error 999 of weir.redisq.jobs");
}

TEST(JobErrorsTest, AnExceptionHasCodeAndText) {
    const exception full = job_exception(job_errc::queue_full, "queue 'mail' is full");
    EXPECT_EQ(full.code(), job_errc::queue_full);
    EXPECT_STREQ(full.what(), "queue 'mail' is full");
}

}  // namespace
}  // namespace weir::redisq
