// Redis Sentinel: where the servers of a master's group are.
//
//     weir::redisq::client_options options("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster");
//     const auto master = co_await weir::redisq::find_master(options);
//     report(master ? master->to_string() : master.error().message());
//
// A client with such a URL asks by itself, each time it connects: the sentinels in their order,
// until one answers, for the master or, where client_options::role says so, for a replica. A server
// that turns out to have another role is refused, and the sentinels are asked again, for in a
// failover they may not know yet. A master that is demoted closes its connections, so the client
// follows a failover without being told.
//
// Errors: errc::connect_failed where no sentinel answers, or none knows the master; the text tells
// the last cause. operation_canceled when the task was stopped.
// Source: https://redis.io/docs/latest/develop/reference/sentinel-clients/. Thread: the loop's.
#pragma once

#include <vector>

#include "../runtime/task.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "url.hpp"

namespace weir::redisq {

// Requires options of a redis+sentinel:// URL. Each sentinel has up to connect_timeout, at most a
// second, to answer.
[[nodiscard]] task<result<server_host>> find_master(client_options options);

// Those that the sentinels take for alive, none among them.
[[nodiscard]] task<result<std::vector<server_host>>> find_replicas(client_options options);

}  // namespace weir::redisq
