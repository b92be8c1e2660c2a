// How a worker gets its jobs: reads of new ones.
#include <algorithm>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::chrono::milliseconds block_time{5000};
constexpr duration read_limit = block_time + std::chrono::seconds(10);
// Between reads while the server, just started, reads its data.
constexpr duration loading_pause = std::chrono::milliseconds(50);
// Of a job in virtual time, for a weight of one.
constexpr std::uint64_t turn_length = 1'000'000;
// After a read that the server refused, so that nothing spins where that lasts.
constexpr duration refused_pause = std::chrono::milliseconds(100);

// What the server says for a while, and what is no reason to give up a lease. A stream that moves
// to another node is deleted at its old one (UNBLOCKED), before that says where it is (MOVED).
bool passes(const error& why) {
    return why == errc::loading || why == errc::busy || why == errc::read_only ||
           why == errc::misconfigured || why == errc::master_down || why == errc::cluster_down ||
           why == errc::not_enough_replicas || why == errc::moved || why == errc::ask ||
           why == errc::try_again || why.message().starts_with("UNBLOCKED");
}

// "weir:{q}:s1" and what belongs to it, of either protocol.
template <class Visit>
void for_each_stream(const resp::reply_view& answer, Visit&& visit) {
    if (answer.kind() == resp::type::map) {
        for (auto at = answer.begin(); at != answer.end();) {
            const resp::reply_view key = *at++;
            visit(key.text(), *at++);
        }
        return;
    }
    for (const resp::reply_view stream : answer) {
        if (stream.size() == 2) {
            visit(stream[0].text(), stream[1]);
        }
    }
}

}  // namespace

// Slots that a read of this window may bring jobs for; 0: not now. Beside another read it waits
// until it is worth while.
std::size_t worker_core::room_for(const worker_queue& queue, std::size_t window) const noexcept {
    // What waits behind an earlier lane takes no slot from that.
    std::size_t taken = used_ + reserved_;
    for (std::size_t lane = queue.lanes_end; lane < lane_count; ++lane) {
        taken -= queue.ready[lane];
    }
    if (is_stopping_ || !queue.has_lease || queue.is_paused || queue.has_lost_reads ||
        queue.lanes == 0 || taken >= options_.max_concurrency || !is_turn_of(queue)) {
        return 0;
    }
    const std::size_t free = options_.max_concurrency - taken;
    if (queue.reads != 0 && (free < worth_ || queue.lanes_end != lane_count || window == 0)) {
        return 0;
    }
    return std::min(free, options_.window);
}

// Weighted: each queue's `served` counts its jobs, each as long as its weight is small. Whose turn
// it was last sets the virtual time, and who comes back from a time with nothing to do begins
// there: neither does it wait for what the others had meanwhile, nor do they.
bool worker_core::is_turn_of(const worker_queue& queue) const noexcept {
    if (queues_.size() == 1) {
        return true;
    }
    const std::uint64_t mine = std::max(queue.served, virtual_time_);
    for (const auto& other : queues_) {
        if (other.get() == &queue) {
            if (options_.order == queue_order::strict) {
                return true;
            }
            continue;
        }
        if (other->is_idle || other->is_paused || !other->has_lease || other->lanes == 0 ||
            other->has_lost_reads) {
            continue;
        }
        if (options_.order == queue_order::strict) {
            return false;
        }
        if (std::max(other->served, virtual_time_) < mine) {
            return false;
        }
    }
    return true;
}

task<> worker_core::fetch_loop(worker_queue* queue, std::size_t window) {
    while (!is_stopping_) {
        const std::size_t room = room_for(*queue, window);
        if (room == 0) {
            room_.reset();
            co_await room_.wait();
            continue;
        }
        // Of several queues, one that has nothing waits without holding slots back.
        const bool several = queues_.size() > 1;
        const bool block = !several || queue->is_idle;
        co_await fetch_once(queue, several && block ? 1 : room, block);
    }
}

// The lanes that a read asks for: all, or, after one that was full, those up to the first lane that
// it found something in. So at most one read brings jobs of a lane while an earlier lane has some.
resp::command_buffer worker_core::read_command(const worker_queue& queue, std::size_t count,
                                               bool block) {
    std::vector<std::string_view> streams;
    for (std::size_t lane = 0; lane < queue.lanes_end; ++lane) {
        if ((queue.lanes >> lane & 1U) != 0) {
            streams.push_back(queue.keys.lane(lane));
        }
    }
    streams.insert(streams.end(), streams.size(), ">");
    resp::command_buffer command;
    if (block) {
        command.add("XREADGROUP", "GROUP", job_group, queue.consumer, "COUNT", count, "BLOCK",
                    block_time.count(), "STREAMS", streams);
    } else {
        command.add("XREADGROUP", "GROUP", job_group, queue.consumer, "COUNT", count, "STREAMS",
                    streams);
    }
    return command;
}

task<> worker_core::fetch_once(worker_queue* queue, std::size_t count, bool block) {
    const bool all_lanes = (queue->lanes >> queue->lanes_end) == 0;
    const resp::command_buffer command = read_command(*queue, count, block && all_lanes);
    const std::size_t held = queues_.size() > 1 && block ? 0 : count;
    const std::uint64_t epoch = queue->epoch;
    reserved_ += held;
    ++queue->reads;
    ++stats_.reads;
    result<resp::reply> answer =
        co_await queue->fetch.read(call_options().within(read_limit), command);
    --queue->reads;
    reserved_ -= held;
    if (queue->has_lost_reads && queue->reads == 0) {
        queue->kick.set();
    }
    if (queues_.size() > 1) {
        room_.set();  // for the other queues
    }
    if (is_stopping_ || epoch != queue->epoch) {
        co_return;  // whoever reaps what it brought has that
    }
    if (!answer && passes(answer.error())) {
        co_await sleep_for(loading_pause);
        co_return;
    }
    if (!answer) {
        read_failed(*queue, answer.error());
        if (answer.error().from_server()) {
            co_await sleep_for(refused_pause);
        }
        co_return;
    }
    std::size_t found = 0;
    std::size_t first_lane = lane_count - 1;
    if (!answer->view().empty()) {
        take_entries(*queue, std::move(*answer), found, first_lane);
    }
    if (found >= count) {
        queue->lanes_end = first_lane + 1;
    } else if (all_lanes) {
        queue->lanes_end = lane_count;
    } else {
        // Nothing is left there: the first lane that waits here is next.
        std::size_t lane = 0;
        while (lane < lane_count && queue->ready[lane] == 0) {
            ++lane;
        }
        queue->lanes_end = std::min(lane + 1, lane_count);
    }
    if (all_lanes && queue->is_idle != (found == 0)) {
        queue->is_idle = found == 0;
        room_.set();
    }
    co_await start_ready();
}

void worker_core::read_failed(worker_queue& queue, const error& why) {
    if (why.from_server()) {
        // The group is gone, or a key holds something else: joining again sees to both.
        lose_lease(queue, why.message());
        return;
    }
    if (why.code() == errc::timed_out) {
        queue.fetch.disconnect(why);
    }
    lose_sight(queue);
}

void worker_core::take_entries(worker_queue& queue, resp::reply answer, std::size_t& found,
                               std::size_t& first_lane) {
    const held_window window(std::move(answer));
    const std::size_t before = found;
    for_each_stream(window.view(), [&](std::string_view key, const resp::reply_view& entries) {
        const std::size_t lane = queue.keys.lane_of(key).value_or(lane_count);
        if (lane == lane_count) {
            return;
        }
        found += entries.size();
        first_lane = std::min(first_lane, lane);
        for (const resp::reply_view entry : entries) {
            auto part = entry.begin();
            const resp::reply_view id = *part++;
            add_ready(make_job(queue, lane, *window, id, *part, 0));
        }
    });
    virtual_time_ = std::max(queue.served, virtual_time_);
    queue.served = virtual_time_ + (found - before) * turn_length / queue.weight;
}

}  // namespace weir::redisq::detail
