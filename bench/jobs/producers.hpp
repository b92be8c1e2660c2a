// What our producers share.
#pragma once

#include <string>
#include <string_view>
#include <weir/redisq/client.hpp>
#include <weir/redisq/jobs/job_type.hpp>
#include <weir/redisq/jobs/queue.hpp>

#include "../support/bench_error.hpp"
#include "measure.hpp"
#include "shape.hpp"

namespace jobs {

using bench_job = weir::redisq::job_type<std::string_view, void, weir::redisq::raw_payload>;
inline const bench_job job_of_bench{type_name};

inline weir::redisq::client_options options_of(const server_access& server) {
    return weir::redisq::client_options("unix://" + server.socket_path);
}

// A connected client and its queue.
struct producer {
    explicit producer(const server_access& server)
        : redis(options_of(server)), queue(redis, queue_name) {}

    weir::task<> connect() {
        const weir::redisq::result<void> connected = co_await redis.connect();
        if (!connected) {
            throw bench::bench_error("weir: " + connected.error().message());
        }
    }

    weir::redisq::client redis;
    weir::redisq::queue queue;
};

}  // namespace jobs
