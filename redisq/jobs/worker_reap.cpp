// What a worker with a lease does for its queue: jobs of dead workers, and delayed ones.
#include <algorithm>
#include <utility>

#include "detail/lease_words.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t promote_batch = 500;
constexpr std::size_t reap_batch = 256;
constexpr std::size_t reap_extra = 16;

}  // namespace

task<> worker_core::reap(worker_queue* queue) {
    queue->next_reap =
        loop_.now() + std::max<duration>(options_.heartbeat, std::chrono::milliseconds(100));
    // Slots that waiting reads hold count as free, and a busy worker takes a few beyond its slots:
    // new jobs shall not keep those of the dead waiting.
    const std::size_t free = options_.max_concurrency - std::min(used_, options_.max_concurrency);
    const std::size_t room =
        std::min(reap_batch, std::max(free, ready_count_ < reap_extra ? reap_extra : 0));
    if (room == 0) {
        co_return;
    }
    const std::uint64_t epoch = queue->epoch;
    script_runner::words arguments = {std::string(job_group), queue->consumer,
                                      std::to_string(room)};
    result<resp::reply> answer = co_await queue->scripts.run(
        scripts::reap, lane_keys(queue->keys, queue->keys.leases(), queue->keys.workers()),
        std::move(arguments), call_options().within(lease_limit(*queue)));
    if (epoch != queue->epoch || is_stopping_) {
        co_return;
    }
    if (!answer) {
        if (!answer.error().from_server()) {
            // What it claimed is ours and unknown; reads that wait would keep us from looking.
            lose_sight(*queue);
            queue->fetch.disconnect(answer.error());
        }
        co_return;
    }
    const held_window window(std::move(*answer));
    const resp::reply_view claimed = window.view();
    for (std::size_t i = 1; i < claimed.size(); ++i) {
        const resp::reply_view each = claimed[i];
        if (each.size() == 4) {
            ++stats_.recovered;
            add_ready(make_job(*queue, static_cast<std::size_t>(each[0].integer()), *window,
                               each[1], each[3], static_cast<std::uint32_t>(each[2].integer())));
        }
    }
    if (!claimed.empty() && claimed[0].integer() == 1) {
        queue->next_reap = loop_.now() + std::chrono::milliseconds(5);
    }
}

task<> worker_core::promote(worker_queue* queue) {
    queue->next_due = loop_.now() + options_.heartbeat;
    script_runner::words keys = lane_keys(queue->keys, queue->keys.delayed(), queue->keys.filed());
    keys.push_back(queue->keys.dead());
    keys.push_back(queue->keys.dead_jobs());
    keys.push_back(queue->keys.meta());
    script_runner::words arguments = {std::to_string(promote_batch)};
    const result<resp::reply> answer =
        co_await queue->scripts.run(scripts::promote, std::move(keys), std::move(arguments),
                                    idempotent.within(lease_limit(*queue)));
    if (!answer || answer->view().size() != 3) {
        co_return;  // at maxmemory, say: they stay delayed
    }
    if (answer->view()[1].text().empty()) {
        queue->next_due = time_point::max();
        co_return;
    }
    queue->server_ahead_ms = number_of(answer->view()[2]) - loop_ms(loop_.now());
    queue->next_due = time_point{
        std::chrono::milliseconds(number_of(answer->view()[1]) - queue->server_ahead_ms)};
}

}  // namespace weir::redisq::detail
