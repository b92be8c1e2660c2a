// A worker's lease on a queue, and what it hears with it: pauses, cancels, what is due.
//
// The lease is Redis's to judge, on its clock. This side counts from before each renewal was sent,
// so it never believes in a lease for longer than Redis does.
#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"
#include "detail/lease_words.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr duration retry_pause = std::chrono::milliseconds(100);
constexpr duration join_pause = std::chrono::milliseconds(200);
// The same trouble is told again after so long.
constexpr duration trouble_pause = std::chrono::seconds(30);

task<> until_set(event* flag) { co_await flag->wait(); }

// What may be otherwise when it is tried again; the rest is for people to mend.
bool may_pass(const std::error_code& why) {
    static constexpr std::array passing = {
        errc::connect_failed,
        errc::connection_lost,
        errc::timed_out,
        errc::loading,
        errc::busy,
        errc::read_only,
        errc::master_down,
        errc::misconfigured,
        errc::not_enough_replicas,
        errc::cluster_down,
        errc::try_again,
    };
    return std::ranges::any_of(passing, [&why](errc each) { return why == each; });
}

}  // namespace

// How long a call of the lease's task may take: others wait behind it, the next heartbeat first of
// all, and nobody else looks whether the lease has ended.
duration worker_core::lease_limit(const worker_queue& queue) const noexcept {
    const duration own = queue.server.options().command_timeout;
    const duration third = std::min<duration>(options_.lease / 3, queue.lease_until - loop_.now());
    return std::max<duration>(own == duration::zero() ? third : std::min(own, third),
                              std::chrono::milliseconds(1));
}

std::uint64_t worker_core::server_ms(const worker_queue& queue) const noexcept {
    return static_cast<std::uint64_t>(loop_ms(loop_.now()) + queue.server_ahead_ms);
}

task<> worker_core::lease_loop(worker_queue* queue) {
    for (;;) {
        queue->kick.reset();
        const time_point now = loop_.now();
        if (!queue->has_lease) {
            if (is_stopping_) {
                co_return;
            }
            co_await try_join(queue);
            continue;
        }
        if (now >= queue->lease_until && !queue->beat_trouble.empty()) {
            lose_lease(*queue, queue->beat_trouble);
            continue;
        }
        if (now >= queue->next_beat) {
            co_await beat(queue);
            continue;
        }
        // While reads are under way whose jobs come too, nothing can be said to be lost.
        const bool can_search = !queue->has_lost_reads || queue->reads == 0;
        const bool rests = std::exchange(queue->audited.rests, false);
        if (can_search && now >= queue->next_audit && !is_stopping_ && !rests) {
            co_await search(queue);
            continue;
        }
        // Before what is due: that may go on and on.
        if (!queue->is_paused && now >= queue->next_reap && !is_stopping_) {
            co_await reap(queue);
            if (rests && loop_.now() >= queue->next_due) {
                co_await promote(queue);  // which would wait for the end of the search
            }
            continue;
        }
        if (now >= queue->next_due && !is_stopping_) {
            co_await promote(queue);
            continue;
        }
        const time_point next = std::min({queue->next_beat, queue->next_due,
                                          can_search ? queue->next_audit : time_point::max(),
                                          queue->is_paused ? time_point::max() : queue->next_reap});
        try {
            co_await with_deadline(is_stopping_ ? queue->next_beat : next, until_set(&queue->kick));
        } catch (const timed_out&) {
            continue;
        }
    }
}

// While Redis, or the queue's node, is not there, it is waited for. What is wrong with the address,
// the rights or the server is thrown at the first attempt, and while no queue has had a lease.
task<> worker_core::try_join(worker_queue* queue) {
    std::string trouble;
    try {
        co_await join(queue);
    } catch (const exception& problem) {
        const bool has_begun =
            std::ranges::any_of(queues_, [](const auto& each) { return each->had_lease; });
        const bool is_first = queue->epoch == 1;
        if (!is_stopping_ && (is_first || !has_begun) && !may_pass(problem.code())) {
            throw;
        }
        trouble = problem.what();
    }
    if (queue->has_lease || is_stopping_) {
        co_return;
    }
    report_trouble(*queue, (queue->had_lease ? "no lease: " : "no lease yet: ") + trouble);
    co_await sleep_for(queue->had_lease
                           ? std::min<duration>(options_.heartbeat, std::chrono::seconds(1))
                           : join_pause);
}

// Not more often than somebody wants to read it.
void worker_core::report_trouble(worker_queue& queue, const std::string& text) {
    const time_point now = loop_.now();
    if (text != queue.last_trouble || now - queue.trouble_told >= trouble_pause) {
        queue.last_trouble = text;
        queue.trouble_told = now;
        report("queue '" + queue.keys.queue() + "': " + text);
    }
}

// Takes a new name and a lease for it. Throws redisq::exception.
task<> worker_core::join(worker_queue* queue) {
    ++queue->epoch;
    queue->consumer = options_.label.empty() ? std::to_string(::getpid()) : options_.label;
    queue->consumer += '.' + random_.token();
    const std::string info = "{\"pid\":" + std::to_string(::getpid()) +
                             ",\"concurrency\":" + std::to_string(options_.max_concurrency) +
                             ",\"lease_ms\":" + milliseconds_of(options_.lease) + "}";
    const time_point sent = loop_.now();
    script_runner::words arguments = {std::string(job_group), queue->consumer,
                                      milliseconds_of(options_.lease), info};
    result<resp::reply> answer = co_await queue->scripts.run(
        scripts::join, lane_keys(queue->keys, queue->keys.leases(), queue->keys.workers()),
        std::move(arguments), idempotent);
    if (!answer) {
        throw exception(answer.error());
    }
    queue->last_trouble.clear();
    queue->beat_trouble.clear();
    queue->is_silent = false;
    queue->canceled.clear();
    queue->refused.clear();
    queue->audited = audit_place();
    queue->lanes = (1U << lane_count) - 1;
    for (std::size_t i = 1; i < answer->view().size(); ++i) {
        const std::int64_t lane = number_of(answer->view()[i]);
        queue->lanes &= ~(1U << static_cast<unsigned>(lane));
        report("queue '" + queue->keys.queue() + "': key " +
               queue->keys.lane(static_cast<std::size_t>(lane)) +
               " holds something else than a stream and is left alone");
    }
    queue->server_ahead_ms = number_of(answer->view()[0]) - loop_ms(loop_.now());
    queue->lease_until = sent + options_.lease;
    queue->next_beat = sent;
    queue->is_paused = true;  // for all we know; the first beat tells
    queue->next_audit = sent + options_.lease;
    queue->next_reap = sent;
    queue->next_due = sent;
    queue->has_lost_reads = false;
    queue->lanes_end = lane_count;
    queue->has_lease = true;
    queue->had_lease = true;
    room_.set();
    if (std::exchange(warns_, false)) {
        tasks_->spawn(guarded(look_at_server(queue)));
    }
}

task<> worker_core::beat(worker_queue* queue) {
    const time_point sent = loop_.now();
    const std::uint64_t done = std::exchange(queue->done, 0);
    const std::uint64_t failed = std::exchange(queue->failed, 0);
    const std::uint64_t dead = std::exchange(queue->dead, 0);
    script_runner::words keys = {queue->keys.leases(), queue->keys.meta(), queue->keys.cancels(),
                                 queue->keys.delayed()};
    script_runner::words arguments = {queue->consumer, milliseconds_of(options_.lease),
                                      std::to_string(done), std::to_string(failed),
                                      std::to_string(dead)};
    const std::vector<std::string> heard_of = std::exchange(queue->canceled, {});
    arguments.insert(arguments.end(), heard_of.begin(), heard_of.end());
    const std::uint64_t epoch = queue->epoch;
    const std::shared_ptr<client> asked = queue->server.node();
    result<resp::reply> answer =
        co_await queue->scripts.run(scripts::beat, std::move(keys), std::move(arguments),
                                    call_options().within(lease_limit(*queue)));
    const time_point now = loop_.now();
    if (epoch != queue->epoch) {
        co_return;
    }
    if (!answer) {
        queue->done += done;
        queue->failed += failed;
        queue->dead += dead;
        queue->canceled.insert(queue->canceled.end(), heard_of.begin(), heard_of.end());
        queue->next_beat = now + std::min<duration>(options_.heartbeat / 4, retry_pause);
        queue->beat_trouble = answer.error().message();
        queue->is_silent = !answer.error().from_server();
        if (queue->is_silent) {
            co_await look_for_owner(queue, asked, answer.error());
        }
        co_return;
    }
    const resp::reply_view heard = answer->view();
    if (heard.size() < 5 || heard[0].integer() != 1) {
        lose_lease(*queue, "it ran out, and others have taken its jobs");
        co_return;
    }
    queue->beat_trouble.clear();
    queue->is_silent = false;
    if (now >= queue->lease_until) {
        startable_.set();
    }
    queue->lease_until = sent + options_.lease;
    queue->next_beat = sent + options_.heartbeat;
    queue->server_ahead_ms = number_of(heard[1]) - loop_ms(now);
    const bool paused = heard[2].integer() == 1;
    if (std::exchange(queue->is_paused, paused) != paused) {
        queue->lanes_end = lane_count;
        startable_.set();
        room_.set();
    }
    if (heard[3].integer() != 0) {
        queue->next_reap = std::min(queue->next_reap, now);
    }
    if (!heard[4].text().empty()) {
        const time_point due{
            std::chrono::milliseconds(number_of(heard[4]) - queue->server_ahead_ms)};
        queue->next_due = std::min(queue->next_due, due);
    }
    cancel_jobs(*queue, heard, 5);
    if (on_stats_) {
        on_stats_(stats());
    }
}

// A heartbeat had no answer from `asked`: in a cluster another node may have the queue by now.
task<> worker_core::look_for_owner(worker_queue* queue, std::shared_ptr<client> asked, error why) {
    bool left = false;
    try {
        left = co_await with_timeout(lease_limit(*queue),
                                     queue->server.leave_silent_owner(std::move(asked)));
    } catch (const timed_out&) {
        co_return;  // the nodes do not tell
    }
    if (left) {
        queue->fetch.disconnect(why);
    }
}

// Its jobs run elsewhere soon, or already: what waits here is forgotten, what runs is asked to
// stop.
void worker_core::lose_lease(worker_queue& queue, const std::string& why) {
    if (!queue.has_lease) {
        return;
    }
    ++stats_.leases_lost;
    report("queue '" + queue.keys.queue() + "': lease lost: " + why);
    queue.has_lease = false;
    queue.lanes_end = lane_count;
    ++queue.epoch;
    for_each_job([&](job_context& job) {
        if (job.queue_ != &queue) {
            return;
        }
        if (job.place_ == job_context::place::running) {
            ask_to_stop(job, job_context::stop_reason::lease_lost);
        } else if (job.place_ != job_context::place::ended) {
            drop(job);
        }
    });
    const error lost(make_error_code(job_errc::lease_lost));
    queue.fetch.disconnect(lost);
    if (queue.is_silent && loop_.now() >= queue.lease_until) {
        // For so long, it may lead nowhere, which only calls without a limit of their own would
        // find out.
        queue.server.disconnect(error(errc::connection_lost));
    }
    queue.kick.set();
    startable_.set();
    room_.set();  // other queues may have waited for this one
}

// The last flush, then everything that Redis still has for us goes back.
task<> worker_core::leave(worker_queue* queue) {
    co_await queue->flushed.wait();  // also without a lease: what is done need not run again
    if (!queue->has_lease) {
        co_return;
    }
    co_await beat(queue);  // the counts
    if (!queue->has_lease) {
        co_return;
    }
    queue->has_lease = false;
    script_runner::words arguments = {std::string(job_group), queue->consumer};
    const result<resp::reply> answer = co_await queue->scripts.run(
        scripts::leave, lane_keys(queue->keys, queue->keys.leases(), queue->keys.workers()),
        std::move(arguments), idempotent);
    if (!answer) {
        throw exception(answer.error());
    }
}

}  // namespace weir::redisq::detail
