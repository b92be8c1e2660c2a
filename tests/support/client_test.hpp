// Tests of a client beside a fake server, on virtual time.
//
//     task<> it_answers(test::fake_redis& server, redisq::client& redis) { ... }
//     TEST(ClientTest, ItAnswers) { test::run_with_client(&it_answers); }
//
// Thread: one loop's.
#pragma once

#include <weir/redisq/client.hpp>

#include "fake_redis.hpp"
#include "run_test.hpp"

namespace weir::test {

using client_test_body = task<> (*)(fake_redis&, redisq::client&);

inline task<> with_client(client_test_body body) {
    fake_redis server;
    scope s;
    s.spawn(server.run());
    {
        redisq::client redis(server.options());
        co_await body(server, redis);
    }
    server.stop();
    co_await s.join();
}

inline void run_with_client(client_test_body body) { run_test(with_client(body)); }

}  // namespace weir::test
