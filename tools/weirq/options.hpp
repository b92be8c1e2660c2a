// The command line of weirq.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/payload.hpp>
#include <weir/redisq/options.hpp>
#include <weir/runtime/clock.hpp>

namespace weirq {

struct settings {
    std::string command;
    weir::redisq::client_options server;
    bool is_cluster = false;  // though its URL names a single host
    std::string queue = "default";
    bool as_json = false;
    bool all = false;  // stats: every queue; retry: every dead job

    std::string id;  // show, retry, kill
    weir::redisq::job_state state = weir::redisq::job_state::waiting;
    std::size_t limit = 50;

    // enqueue
    std::string type;
    std::string payload;
    weir::redisq::payload_format format = weir::redisq::payload_format::json;
    int lane = 1;
    weir::duration delay = weir::duration::zero();
    weir::duration timeout = weir::duration::zero();
    std::string unique;

    weir::redisq::purge_what what = weir::redisq::purge_what::waiting;
    bool is_confirmed = false;

    // top
    weir::duration interval = weir::duration::zero();
    std::uint64_t rounds = 0;  // 0: until it is interrupted

    // bench
    std::size_t jobs = 0;
    std::size_t payload_bytes = 0;
    std::size_t concurrency = 0;
};

// Where there is a status the program has said all it has to say and ends with it: 0 after --help
// and --version, 2 after a bad option, which is named on stderr with what is allowed.
[[nodiscard]] std::optional<int> read_command_line(int argc, char** argv, settings& out);

}  // namespace weirq
