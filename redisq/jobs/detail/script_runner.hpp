// Runs the scripts of the job queue on one server, which it teaches them when it does not know
// them, also after a SCRIPT FLUSH or a restart.
//
// Lifetime: ends before its client. Thread: the loop's.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include "../../client.hpp"
#include "../../resp/reply.hpp"
#include "../scripts.hpp"

namespace weir::redisq::detail {

class script_runner {
  public:
    explicit script_runner(client& server) : server_(server) {}

    using words = std::vector<std::string>;

    // `idempotent`: may run twice, so it is repeated after a lost connection.
    // ref: scripts are constants.
    [[nodiscard]] task<result<resp::reply>> run(const job_script& script, words keys,
                                                words arguments,
                                                call_options options = call_options());

    // Teaches the server all of them.
    [[nodiscard]] task<result<void>> load();

    // They are to be taught again.
    void forget() noexcept { digests_.clear(); }

    // The name by which the server knows it; empty before load().
    [[nodiscard]] const std::string& digest(const job_script& script) const;

  private:
    client& server_;
    std::vector<std::string> digests_;  // in the order of job_scripts()
};

}  // namespace weir::redisq::detail
