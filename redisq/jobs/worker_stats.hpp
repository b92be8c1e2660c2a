// worker_stats: what a worker has done since it began, and what it does now.
//
//     const weir::redisq::worker_stats now = w.stats();
//     report(std::to_string(now.done) + " done, " + std::to_string(now.running) + " running");
//
// Thread: any; a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::redisq {

struct worker_stats {
    std::uint64_t claimed = 0;    // jobs taken, those of dead workers among them
    std::uint64_t recovered = 0;  // of dead workers, or handed back by others
    std::uint64_t done = 0;       // ended well
    std::uint64_t failed = 0;     // runs that failed
    std::uint64_t retried = 0;    // of these, to be tried again
    std::uint64_t dead = 0;       // given up
    std::uint64_t canceled = 0;   // before they ran, or meanwhile
    std::uint64_t deferred = 0;   // filed for later, for the limits of their type
    std::uint64_t set_aside = 0;  // envelopes of later versions, left alone
    std::uint64_t lost = 0;       // that go on elsewhere although they ended here
    std::uint64_t leases_lost = 0;
    std::uint64_t reads = 0;
    std::uint64_t flushes = 0;
    std::size_t running = 0;  // have a slot
    std::size_t ready = 0;    // of these, not started
    bool has_lease = false;   // of every queue
};

// Of several workers together; has_lease: all have it, and there is one at least.
[[nodiscard]] worker_stats sum_of(std::span<const worker_stats> each) noexcept;

}  // namespace weir::redisq
