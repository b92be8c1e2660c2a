// The connection on which a worker reads the new jobs of one queue. A read may block on the server
// for seconds, so it has that connection for itself and other reads.
//
// In a cluster it leads to the node that has the queue's slot. A read that fails because the slot
// is elsewhere by now, or its node gone, has claimed nothing or has lost its reply; whoever reads
// next looks for the slot first.
//
// Lifetime: ends before its loop; no read runs when it is destroyed. Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>

#include "../../client.hpp"
#include "../../options.hpp"
#include "../../resp/reply.hpp"
#include "job_server.hpp"

namespace weir::redisq::detail {

class job_reader {
  public:
    // `options`: with one server, all of them; in a cluster, its hosts are not used.
    job_reader(job_server server, client_options options);

    // ref: the command outlives the await.
    [[nodiscard]] task<result<resp::reply>> read(call_options options,
                                                 const resp::command_buffer& command);

    // Ends the reads that are under way.
    void disconnect(const error& why) noexcept;

    // No more reads.
    [[nodiscard]] task<> close();

  private:
    [[nodiscard]] task<result<void>> find_owner();

    job_server server_;
    client_options options_;
    std::shared_ptr<client> connection_;  // null: not made yet
    server_host where_;                   // of a cluster: whom it leads to
    std::uint64_t ends_ = 0;              // how often reads were ended
    bool is_stale_ = false;               // of a cluster: the slot may be elsewhere
};

}  // namespace weir::redisq::detail
