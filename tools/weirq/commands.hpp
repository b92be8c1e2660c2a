// What weirq does: one function a command. Each prints its result and yields the exit status.
//
// Errors: redisq::exception, std::invalid_argument. Thread: the loop's.
#pragma once

#include <weir/redisq/client.hpp>
#include <weir/runtime/task.hpp>

#include "options.hpp"

namespace weirq {

// Connects, runs the command, closes.
[[nodiscard]] weir::task<int> run_command(settings chosen);

// Until `rounds` are over, or the task is stopped.
[[nodiscard]] weir::task<int> top(weir::redisq::client* server, settings chosen);

[[nodiscard]] weir::task<int> bench(weir::redisq::client* server, settings chosen);

}  // namespace weirq
