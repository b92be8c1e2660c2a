// One measurement: one server, one shape, one round.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server_process.hpp"
#include "shape.hpp"

namespace echo {

struct figures {
    double messages_per_s = 0;
    double server_cpu_ns = 0;   // a message, user and system
    double server_user_ns = 0;  // a message
    double p50_us = 0;
    double p99_us = 0;
    double p999_us = 0;
    std::optional<double> syscalls_per_message;  // empty where the server does not count
    double rss_bytes = 0;                        // with all connections open
    double server_busy = 0;                      // share of the window, 0..1
    double load_busy = 0;
};

struct run_plan {
    const server* which = nullptr;
    shape of;
    double rate = 0;
    std::chrono::nanoseconds warm_up{};
    std::chrono::nanoseconds window{};
    bench::core_pair cores;
};

// Throws load_error where the server failed, std::exception where the machine did.
[[nodiscard]] figures measure(const run_plan& plan);

// Memory that an idle connection holds in the server's process, in bytes: what it grew by when
// so many connections had each sent one message and had it back, less what the first 16 cost.
[[nodiscard]] double idle_connection_bytes(const server& which, std::uint64_t connections,
                                           bench::core_pair cores);

}  // namespace echo
