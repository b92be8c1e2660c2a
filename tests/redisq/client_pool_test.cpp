#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weir/redisq/client_pool.hpp>

#include "support/client_test.hpp"

namespace weir::redisq {
namespace {

task<> echo_on(client& redis) {
    const auto answer = co_await redis.command<std::string>("ECHO", "a");
    EXPECT_EQ(answer.error(), errc::connection_lost);
}

task<> the_least_busy_is_chosen(test::fake_redis& server, client& /*other*/) {
    client_pool pool(server.options(), 3);
    EXPECT_EQ(pool.size(), 3U);
    EXPECT_EQ(&pool.least_busy(), &pool[0]);
    for (std::size_t index = 0; index < 3; ++index) {
        EXPECT_TRUE(co_await pool[index].connect());
    }
    server.hold(true);
    scope s;
    s.spawn(echo_on(pool[0]));
    co_await test::settle();
    EXPECT_EQ(&pool.least_busy(), &pool[1]);
    s.spawn(echo_on(pool[1]));
    s.spawn(echo_on(pool[2]));
    s.spawn(echo_on(pool[2]));
    co_await test::settle();
    EXPECT_EQ(&pool.least_busy(), &pool[0]);
    server.forget_held();
    server.hold(false);
    server.drop();
    co_await test::settle();
    co_await s.join();
    co_await pool.close();
}

TEST(ClientPoolTest, TheLeastBusyIsChosen) { test::run_with_client(&the_least_busy_is_chosen); }

task<> sizes_are_checked(test::fake_redis& server, client& /*other*/) {
    EXPECT_THROW(client_pool(server.options(), 0), std::invalid_argument);
    EXPECT_THROW(client_pool(server.url(), 1'025), std::invalid_argument);
    co_return;
}

TEST(ClientPoolTest, SizesAreChecked) { test::run_with_client(&sizes_are_checked); }

}  // namespace
}  // namespace weir::redisq
