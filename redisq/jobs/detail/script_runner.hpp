// Runs the scripts of a job queue where that lives, and teaches them to a server that does not know
// them, also after a SCRIPT FLUSH or a restart, or when the queue has moved to another node.
//
// Lifetime: ends before its client. Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "../../../runtime/mutex.hpp"
#include "../../resp/reply.hpp"
#include "../scripts.hpp"
#include "job_server.hpp"

namespace weir::redisq::detail {

class script_runner {
  public:
    explicit script_runner(job_server server) : server_(std::move(server)) {}

    using words = std::vector<std::string>;

    // `idempotent`: may run twice, so it is repeated after a lost connection. A timeout is that of
    // all that it takes, teaching included.
    // ref: scripts are constants.
    [[nodiscard]] task<result<resp::reply>> run(const job_script& script, words keys,
                                                words arguments,
                                                call_options options = call_options());

    // Teaches the server all of them.
    [[nodiscard]] task<result<void>> load(call_options options = idempotent);

    // They are to be taught again.
    void forget() noexcept { digests_.clear(); }

    // The name by which the server knows it; empty before load().
    [[nodiscard]] const std::string& digest(const job_script& script) const;

  private:
    [[nodiscard]] task<result<void>> load_once(time_point deadline);

    job_server server_;
    std::vector<std::string> digests_;  // in the order of job_scripts()
    std::uint64_t loads_ = 0;
    mutex loading_;  // one teaches, the others wait
};

}  // namespace weir::redisq::detail
