#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <functional>
#include <stdexcept>
#include <string>
#include <weir/redisq/jobs/options.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

template <class Options>
std::string refusal(const std::function<void(Options&)>& change) {
    Options options;
    change(options);
    try {
        options.check();
    } catch (const std::invalid_argument& problem) {
        return problem.what();
    }
    return "sound";
}

TEST(JobOptionsTest, TheDefaultsAreSound) {
    EXPECT_EQ(refusal<queue_options>([](queue_options&) {}), "sound");
    EXPECT_EQ(refusal<worker_options>([](worker_options&) {}), "sound");
    EXPECT_EQ(refusal<scheduler_options>([](scheduler_options&) {}), "sound");
}

TEST(JobOptionsTest, ARefusalNamesOptionValueAndRange) {
    EXPECT_EQ(refusal<worker_options>([](worker_options& o) { o.max_concurrency = 0; }),
              "worker_options::max_concurrency is 0; allowed: 1 to 1000000");
    EXPECT_THAT(refusal<worker_options>(
                    [](worker_options& o) { o.max_concurrency = static_cast<std::size_t>(-1); }),
                testing::HasSubstr("worker_options::max_concurrency is 18446744073709551615"));
    EXPECT_EQ(refusal<worker_options>([](worker_options& o) { o.lease = 900ms; }),
              "worker_options::lease is 900ms; allowed: at least twice the heartbeat of 500ms");
    EXPECT_THAT(refusal<queue_options>([](queue_options& o) { o.max_payload = 0; }),
                testing::HasSubstr("queue_options::max_payload is 0"));
}

TEST(JobOptionsTest, EveryNumberHasItsBounds) {
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.windows = 0; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.window = 257; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.max_crashes = 0; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.heartbeat = 0s; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.grace = -1s; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.label = "a b"; }), "sound");
    EXPECT_NE(refusal<worker_options>([](worker_options& o) { o.label = "~v2"; }), "sound");
    EXPECT_EQ(refusal<worker_options>([](worker_options& o) { o.metrics_address = "host"; }),
              "worker_options::metrics_address is 'host'; allowed: an IPv4 or IPv6 address, such "
              "as 127.0.0.1 or ::1");
    EXPECT_EQ(refusal<worker_options>([](worker_options& o) { o.metrics_address = "::1"; }),
              "sound");
    EXPECT_NE(refusal<queue_options>([](queue_options& o) { o.result_ttl = 0s; }), "sound");
    EXPECT_NE(refusal<scheduler_options>([](scheduler_options& o) { o.poll = 2min; }), "sound");
    EXPECT_NE(refusal<scheduler_options>([](scheduler_options& o) { o.batch = 0; }), "sound");
    EXPECT_NE(refusal<scheduler_options>([](scheduler_options& o) { o.retry_longest = 2h; }),
              "sound");
}

}  // namespace
}  // namespace weir::redisq
