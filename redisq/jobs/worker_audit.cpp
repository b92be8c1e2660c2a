// The search for jobs that Redis takes for ours and that we do not know: those of a read whose
// reply never came, and those whose end Redis refused.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t audit_page = 256;

}  // namespace

// There may be jobs of ours that never came here.
void worker_core::lose_sight(worker_queue& queue) noexcept {
    queue.has_lost_reads = true;
    queue.next_audit = loop_.now();
    queue.audited = audit_place();
    queue.kick.set();
}

// For jobs that are ours and unknown: all of them after reads whose replies never came, else those
// that have been ours for long. Where it takes until the next heartbeat, it goes on after that.
task<> worker_core::search(worker_queue* queue) {
    const bool all = queue->has_lost_reads;
    if (queue->audited.all != all) {
        queue->audited = audit_place();
        queue->audited.all = all;
    }
    const std::uint64_t epoch = queue->epoch;
    const audit_end end = co_await audit(queue, all ? duration::zero() : options_.lease);
    if (epoch != queue->epoch || all != queue->has_lost_reads) {
        co_return;  // there is more to look for by now
    }
    if (end == audit_end::interrupted) {
        queue->audited.rests = true;
        co_return;
    }
    queue->audited = audit_place();
    const bool complete = end == audit_end::complete;
    queue->next_audit = loop_.now() + (complete ? options_.lease : options_.heartbeat);
    if (complete && all) {
        queue->has_lost_reads = false;
        room_.set();
    }
}

// Looks for those that were delivered at least `idle` ago, from where it has come to.
task<worker_core::audit_end> worker_core::audit(worker_queue* queue, duration idle) {
    const std::uint64_t epoch = queue->epoch;
    audit_place& place = queue->audited;
    for (; place.lane < lane_count; ++place.lane, place.from = "-") {
        if ((queue->lanes >> place.lane & 1U) != 0) {
            const audit_end end = co_await audit_lane(queue, idle);
            if (end != audit_end::complete || epoch != queue->epoch || is_stopping_) {
                co_return end;
            }
        }
    }
    co_return audit_end::complete;
}

task<worker_core::audit_end> worker_core::audit_lane(worker_queue* queue, duration idle) {
    const std::string idle_ms =
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(idle).count());
    const std::uint64_t epoch = queue->epoch;
    const std::size_t lane = queue->audited.lane;
    for (;;) {
        const std::string from = queue->audited.from;
        result<resp::reply> page = co_await queue->server.command<resp::reply>(
            idempotent.within(lease_limit(*queue)), "XPENDING", queue->keys.lane(lane), job_group,
            "IDLE", idle_ms, from, "+", audit_page, queue->consumer);
        if (epoch != queue->epoch || is_stopping_) {
            co_return audit_end::complete;  // what there was is no longer ours
        }
        if (!page) {
            co_return audit_end::failed;
        }
        const std::size_t count = page->view().size();
        if (count == 0) {
            co_return audit_end::complete;
        }
        std::vector<std::string> unknown = strangers(*queue, lane, page->view());
        if (!unknown.empty()) {
            const bool recalled = co_await recall(queue, lane, std::move(unknown));
            if (!recalled) {
                co_return audit_end::failed;
            }
        }
        if (count < audit_page || epoch != queue->epoch || is_stopping_) {
            co_return audit_end::complete;
        }
        queue->audited.from = "(" + std::string(page->view()[count - 1][0].text());
        if (loop_.now() >= queue->next_beat) {
            co_return audit_end::interrupted;
        }
    }
}

// Those of a page that nobody here knows. What is put into a set is the page, not the jobs: there
// may be a thousand times as many.
std::vector<std::string> worker_core::strangers(const worker_queue& queue, std::size_t lane,
                                                const resp::reply_view& pending) const {
    std::unordered_set<std::string_view> unknown;
    for (const resp::reply_view each : pending) {
        unknown.insert(each[0].text());
    }
    for_each_job([&](const job_context& job) {
        if (job.queue_ == &queue && job.lane_ == lane) {
            unknown.erase(job.entry_);
        }
    });
    std::vector<std::string> found;
    for (const resp::reply_view each : pending) {
        const std::string_view entry = each[0].text();
        if (unknown.contains(entry) && !queue.acks[lane].has(entry) &&
            !queue.acks_sent[lane].has(entry)) {
            found.emplace_back(entry);
        }
    }
    return found;
}

// Takes them up, where they are still ours.
task<bool> worker_core::recall(worker_queue* queue, std::size_t lane,
                               std::vector<std::string> entries) {
    script_runner::words keys;
    keys.push_back(queue->keys.lane(lane));
    script_runner::words arguments = std::move(entries);
    arguments.insert(arguments.begin(), queue->consumer);
    arguments.insert(arguments.begin(), std::string(job_group));
    const std::uint64_t epoch = queue->epoch;
    result<resp::reply> found =
        co_await queue->scripts.run(scripts::recall, std::move(keys), std::move(arguments),
                                    idempotent.within(lease_limit(*queue)));
    if (epoch != queue->epoch || is_stopping_) {
        co_return true;
    }
    if (!found) {
        co_return false;
    }
    const held_window window(std::move(*found));
    for (const resp::reply_view each : window.view()) {
        if (each.size() == 3) {
            // The first delivery was no crash.
            const auto crashes =
                static_cast<std::uint32_t>(std::max<std::int64_t>(each[1].integer(), 1) - 1);
            take_up(make_job(*queue, lane, *window, each[0], each[2], crashes));
        }
    }
    co_return true;
}

// One whose death Redis would not take is not run once more, but may be buried by now.
void worker_core::take_up(job_context& job) {
    const auto refused = job.queue_->refused.find(job.id());
    if (refused == job.queue_->refused.end()) {
        add_ready(job);
        return;
    }
    if (const result<envelope> read = read_envelope(job.raw_)) {
        job.envelope_ = *read;
    }
    add_death(job, refused->second, false);
}

// Redis before 7.0 wraps what a script's command says: "ERR Error running script (...): WRONGTYPE".
bool worker_core::is_wrong_type(std::string_view why) noexcept {
    constexpr std::string_view word = "WRONGTYPE ";
    return why.starts_with(word) ||
           (why.starts_with("ERR Error running script") && why.find(word) != why.npos);
}

// Where a key holds something else, the next attempt is refused as well: what cannot go on is
// buried, and what cannot be buried is not run again. The rest stays pending, and is found again
// when it has been idle for the time of a lease. True: the job has another end before it.
bool worker_core::end_refused(worker_queue& queue, const job_end& end, std::string_view why) {
    const bool is_for_good = is_wrong_type(why);
    const bool is_death = end.what == job_end::kind::bury;
    if (is_for_good && end.what == job_end::kind::settle && !end.bytes.empty()) {
        bury(*end.job, "the next step of its chain was refused: " + std::string(why));
        return true;
    }
    if (is_for_good && is_death) {
        queue.refused.insert_or_assign(end.job->id(), end.record.substr(1));
    }
    report_trouble(queue, "the end of job " + end.job->id() + " was refused, it will " +
                              (is_for_good && is_death ? "be tried" : "run") +
                              " again: " + std::string(why));
    return false;
}

}  // namespace weir::redisq::detail
