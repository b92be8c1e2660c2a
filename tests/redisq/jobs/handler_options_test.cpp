#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include <weir/redisq/jobs/handler_options.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

TEST(HandlerOptionsTest, NumbersOutOfTheirRangeAreRefused) {
    EXPECT_NO_THROW(handler_options().check());
    const auto refused = [](auto change) {
        handler_options options;
        change(options);
        EXPECT_THROW(options.check(), std::invalid_argument);
    };
    refused([](handler_options& o) { o.timeout = -1s; });
    refused([](handler_options& o) { o.max_concurrency = 1'000'001; });
    refused([](handler_options& o) { o.rate_period = 0s; });
    refused([](handler_options& o) { o.rate_burst = 0; });
}

TEST(HandlerOptionsTest, SoAreThoseOfBatches) {
    EXPECT_NO_THROW(batch_options().check());
    batch_options none;
    none.max_jobs = 0;
    EXPECT_THROW(none.check(), std::invalid_argument);
    batch_options slow;
    slow.linger = 2min;
    EXPECT_THROW(slow.check(), std::invalid_argument);
}

}  // namespace
}  // namespace weir::redisq
