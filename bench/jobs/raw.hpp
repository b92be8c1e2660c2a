// The limit: a client without a library, which has the bytes of its commands ready and looks only
// for what it must know in the replies.
//
// Errors: bench::bench_error. Thread: any; each call has its own connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "measure.hpp"

namespace jobs {

// XADD of one job after the other, at most `depth` without reply, until `seconds` are over or
// `jobs` are written.
struct raw_submit {
    std::uint64_t depth = 1;
    double seconds = 0;
    std::uint64_t jobs = 0;
};
[[nodiscard]] figures submit_raw(const server_access& server, const raw_submit& how);

// XREADGROUP COUNT 100, XACK and XDEL over all jobs that wait, with 8 reads on their way.
[[nodiscard]] figures drain_raw(const server_access& server);

// Beside what is measured.
void flush(const server_access& server);
[[nodiscard]] std::uint64_t used_memory(const server_access& server);
// Jobs that wait, and jobs that are claimed.
struct backlog {
    std::uint64_t waiting = 0;
    std::uint64_t claimed = 0;
};
[[nodiscard]] backlog backlog_of(const server_access& server);

}  // namespace jobs
