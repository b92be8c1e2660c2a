#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <weir/redisq/jobs/retry_policy.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most = ~std::uint64_t{0};

failed_attempt failed(std::uint32_t attempt, std::uint64_t random = most) {
    return {attempt, nullptr, random};
}

TEST(RetryPolicyTest, FixedWaitsTheSameEachTime) {
    const retry_policy policy = retry_policy::fixed(5s, 3);
    EXPECT_EQ(policy.delay(failed(1, 0)), 5s);
    EXPECT_EQ(policy.delay(failed(2)), 5s);
    EXPECT_EQ(policy.delay(failed(3)), std::nullopt);
}

TEST(RetryPolicyTest, ExponentialHasFullJitterBelowADoublingCeiling) {
    const retry_policy policy = retry_policy::exponential(1s, 10s, 100);
    EXPECT_EQ(policy.delay(failed(1, 0)), 0s);
    EXPECT_NEAR(static_cast<double>(policy.delay(failed(1))->count()), 1e9, 1000);
    EXPECT_NEAR(static_cast<double>(policy.delay(failed(3))->count()), 4e9, 1000);
    EXPECT_NEAR(static_cast<double>(policy.delay(failed(5))->count()), 10e9, 10'000);
    EXPECT_NEAR(static_cast<double>(policy.delay(failed(99))->count()), 10e9, 10'000);
    EXPECT_NEAR(static_cast<double>(policy.delay(failed(2, most / 2))->count()), 1e9, 1000);
    EXPECT_EQ(policy.delay(failed(100)), std::nullopt);
}

TEST(RetryPolicyTest, NoneGivesUpAtOnce) {
    EXPECT_EQ(retry_policy::none().delay(failed(1)), std::nullopt);
}

TEST(RetryPolicyTest, ACustomOneDecidesByItself) {
    const retry_policy policy =
        retry_policy::custom([](const failed_attempt& failure) -> std::optional<duration> {
            if (failure.attempt > 2) {
                throw 1;
            }
            return failure.attempt == 1 ? std::optional<duration>(-5s) : std::nullopt;
        });
    EXPECT_EQ(policy.delay(failed(1)), 0s);
    EXPECT_EQ(policy.delay(failed(2)), std::nullopt);
    EXPECT_EQ(policy.delay(failed(3)), std::nullopt);
    EXPECT_THROW(static_cast<void>(retry_policy::custom(nullptr)), std::invalid_argument);
}

TEST(RetryPolicyTest, BadNumbersAreRefused) {
    EXPECT_THROW(static_cast<void>(retry_policy::fixed(-1s, 3)), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(retry_policy::fixed(1s, 0)), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(retry_policy::exponential(2s, 1s, 3)), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(retry_policy::exponential(1s, 24h * 400, 3)),
                 std::invalid_argument);
}

}  // namespace
}  // namespace weir::redisq
