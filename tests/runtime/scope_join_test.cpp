// Joining a scope again.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<> fail() {
    co_await sleep_for(1s);
    throw std::runtime_error("once");
}

task<> sleep_long() { co_await sleep_for(1h); }

task<> join_twice() {
    scope s;
    s.spawn(sleep_long());
    s.spawn(fail());
    bool failed = false;
    try {
        co_await s.join();
    } catch (const std::runtime_error&) {
        failed = true;
    }
    EXPECT_TRUE(failed);
    co_await s.join();  // the sibling that was stopped for it is no error of its own
}

TEST(ScopeJoinTest, AFailureIsToldOnce) {
    test::virtual_loop on;
    EXPECT_NO_THROW(on.run(join_twice()));
}

}  // namespace
}  // namespace weir
