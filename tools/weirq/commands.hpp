// What weirq does: one function a command. Each prints its result and yields the exit status.
//
// Errors: redisq::exception, std::invalid_argument. Thread: the loop's.
#pragma once

#include <weir/redisq/jobs/detail/job_server.hpp>
#include <weir/runtime/task.hpp>

#include "options.hpp"

namespace weirq {

using weir::redisq::detail::job_server;

// Connects, runs the command, closes.
[[nodiscard]] weir::task<int> run_command(settings chosen);

// Until `rounds` are over, or the task is stopped.
[[nodiscard]] weir::task<int> top(job_server server, settings chosen);

[[nodiscard]] weir::task<int> bench(job_server server, settings chosen);

}  // namespace weirq
