#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <weir/redisq/jobs/worker.hpp>

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, void, raw_payload> note("note");

TEST(WorkerTest, BadOptionsAndAddressesAreRefusedAtOnce) {
    worker_options none;
    none.max_concurrency = 0;
    EXPECT_THROW(worker("redis://localhost", none), std::invalid_argument);
    worker_options hasty;
    hasty.lease = 100ms;
    EXPECT_THROW(worker("redis://localhost", hasty), std::invalid_argument);
    EXPECT_THROW(worker("http://localhost"), std::invalid_argument);
}

TEST(WorkerTest, AQueueOrATypeStandsOnce) {
    worker w("redis://localhost");
    w.serve("a").serve("b", 3);
    EXPECT_THROW(w.serve("a"), std::invalid_argument);
    EXPECT_THROW(w.serve("c", 0), std::invalid_argument);
    EXPECT_THROW(w.serve("with blank"), std::invalid_argument);
    w.on(note, [](std::string) {});
    EXPECT_THROW(w.on(note, [](std::string) {}), std::invalid_argument);
    handler_options bad;
    bad.timeout = -1s;
    const job_type<std::string, void, raw_payload> other("other");
    EXPECT_THROW(w.on(other, [](std::string) {}, bad), std::invalid_argument);
    EXPECT_EQ(w.stats().claimed, 0U);
    w.request_stop();  // nothing runs: nothing happens
}

}  // namespace
}  // namespace weir::redisq
