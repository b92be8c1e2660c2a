// A fixture whose servers take seconds to come up, so that the tests of a suite share them.
//
//     class ClusterTest : public test::shared_servers<test::redis_cluster> {};
//
// Skips where redis-server is not installed. Thread: one at a time.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "support/redis_server.hpp"

namespace weir::test {

template <class Servers>
class shared_servers : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (redis_server_installed()) {
            shared_ = std::make_unique<Servers>();
        }
    }
    static void TearDownTestSuite() { shared_.reset(); }

    void SetUp() override { WEIR_NEEDS_REDIS(); }

    static Servers& servers() { return *shared_; }

  private:
    static inline std::unique_ptr<Servers> shared_;
};

}  // namespace weir::test
