#include "worker_stats.hpp"

namespace weir::redisq {

worker_stats sum_of(std::span<const worker_stats> each) noexcept {
    worker_stats sum;
    sum.has_lease = !each.empty();
    for (const worker_stats& one : each) {
        sum.claimed += one.claimed;
        sum.recovered += one.recovered;
        sum.done += one.done;
        sum.failed += one.failed;
        sum.retried += one.retried;
        sum.dead += one.dead;
        sum.canceled += one.canceled;
        sum.deferred += one.deferred;
        sum.set_aside += one.set_aside;
        sum.lost += one.lost;
        sum.leases_lost += one.leases_lost;
        sum.reads += one.reads;
        sum.flushes += one.flushes;
        sum.running += one.running;
        sum.ready += one.ready;
        sum.has_lease = sum.has_lease && one.has_lease;
    }
    return sum;
}

}  // namespace weir::redisq
