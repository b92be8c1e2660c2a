// What is measured: the phases of a job's life, with and without a log on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../support/redis_server.hpp"

namespace jobs {

// submit_one: one producer, each job awaited. submit_concurrent: so many producers at once.
// submit_bulk: submit_many. drain: a worker ends a backlog. steady: both beside each other, at half
// of the load that they could bear.
enum class phase { submit_one, submit_concurrent, submit_bulk, drain, steady };

// everysec: Redis appends to its log and brings that to the disk every second.
enum class durability { off, everysec };

// rq: a job queue in Python, beside ours.
enum class client { weir, rq };

struct shape {
    phase of = phase::drain;
    durability kept = durability::off;
    std::uint64_t threads = 1;  // of the worker
    client who = client::weir;

    friend bool operator==(const shape&, const shape&) = default;
};

inline constexpr std::size_t payload_bytes = 100;
inline constexpr const char* queue_name = "bench";
inline constexpr const char* type_name = "task";
// Where jobs of that queue stand, as redisq/jobs/README.md says.
inline constexpr std::string_view stream_key = "weir:{bench}:s1";
inline constexpr std::string_view group_name = "w";

// "submit_one", "everysec"; as in the JSON rows.
[[nodiscard]] std::string_view name_of(phase of);
[[nodiscard]] std::string_view name_of(durability kept);
[[nodiscard]] std::string_view name_of(client who);
// The phase, as it stands in a row: "drain", "rq_drain".
[[nodiscard]] std::string name_of(const shape& of);

[[nodiscard]] bench::append_log log_of(durability kept);

}  // namespace jobs
