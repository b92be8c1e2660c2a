// The processes of the chaos run; each runs until SIGTERM and gives the exit code.
//
// Errors: std::exception for settings and files that are wrong. Thread: one each.
#pragma once

#include "settings.hpp"

namespace chaos {

// url journal label concurrency lease_ms heartbeat_ms grace_ms
[[nodiscard]] int run_worker(const settings& chosen);

// url journal name seed submitters pause_us limit
[[nodiscard]] int run_producer(const settings& chosen);

// socket seed; prints its port
[[nodiscard]] int run_proxy(const settings& chosen);

// From now on, std::chrono::system_clock is ahead by the nanoseconds that stand in this file (eight
// bytes, the machine's order), which may change at any time.
void shift_clock(const std::string& path);

}  // namespace chaos
