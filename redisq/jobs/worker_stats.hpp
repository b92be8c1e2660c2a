// worker_stats: what a worker has done since it began, and what it does now.
//
//     const weir::redisq::worker_stats now = w.stats();
//     report(std::to_string(now.done) + " done, " + std::to_string(now.running) + " running");
//
// Thread: any; a value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::redisq {

struct worker_stats {
    std::uint64_t claimed = 0;    // jobs taken, those of dead workers among them
    std::uint64_t recovered = 0;  // of dead workers, or handed back by others
    std::uint64_t done = 0;       // ended well
    std::uint64_t failed = 0;     // runs that failed
    std::uint64_t retried = 0;    // of these, to be tried again
    std::uint64_t dead = 0;       // given up
    std::uint64_t canceled = 0;   // while they ran
    std::uint64_t set_aside = 0;  // envelopes of later versions, left alone
    std::uint64_t lost = 0;       // that ran on elsewhere when they ended here
    std::uint64_t leases_lost = 0;
    std::uint64_t reads = 0;
    std::uint64_t flushes = 0;
    std::size_t running = 0;  // have a slot
    std::size_t ready = 0;    // of these, not started
    bool has_lease = false;   // of every queue
};

}  // namespace weir::redisq
