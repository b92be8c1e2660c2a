// A worker's lease on a queue, and what goes with it: jobs of dead workers, delayed ones, pauses.
//
// The lease is Redis's to judge, on its clock. This side counts from before each renewal was sent,
// so it never believes in a lease for longer than Redis does.
#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

constexpr std::size_t promote_batch = 500;
constexpr std::size_t reap_batch = 256;
constexpr std::size_t reap_extra = 16;
constexpr duration retry_pause = std::chrono::milliseconds(100);
constexpr duration join_pause = std::chrono::milliseconds(200);
// The same trouble is told again after so long.
constexpr duration trouble_pause = std::chrono::seconds(30);

std::int64_t number_of(const resp::reply_view& view) {
    if (view.kind() == resp::type::integer) {
        return view.integer();
    }
    const std::string_view text = view.text();
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<std::int64_t>(value);
}

std::string milliseconds_of(duration length) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

std::int64_t loop_ms(time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// s0 s1 s2 s3 and what follows them.
script_runner::words lane_keys(const queue_keys& keys, const std::string& fifth,
                               const std::string& sixth) {
    script_runner::words words(keys.lanes().begin(), keys.lanes().end());
    words.push_back(fifth);
    words.push_back(sixth);
    return words;
}

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
            bool joined = false;
            try {
                co_await join(queue);
                joined = true;
            } catch (const exception& problem) {
                report_trouble(*queue, std::string("no lease: ") + problem.what());
            }
            if (!joined) {
                co_await sleep_for(std::min<duration>(options_.heartbeat, std::chrono::seconds(1)));
            }
            continue;
        }
        if (now >= queue->next_beat) {
            co_await beat(queue);
            continue;
        }
        // While reads are under way whose jobs come too, nothing can be said to be lost.
        const bool can_search = !queue->has_lost_reads || queue->reads == 0;
        if (can_search && now >= queue->next_audit && !is_stopping_) {
            co_await search(queue);
            continue;
        }
        // Before what is due: that may go on and on.
        if (!queue->is_paused && now >= queue->next_reap && !is_stopping_) {
            co_await reap(queue);
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

// The first lease. While Redis is not there it is waited for; what is wrong with the address, the
// rights or the server is thrown.
task<> worker_core::first_join(worker_queue* queue) {
    for (;;) {
        std::string trouble;
        try {
            co_await join(queue);
        } catch (const exception& problem) {
            if (!may_pass(problem.code())) {
                throw;
            }
            trouble = problem.what();
        }
        if (queue->has_lease) {
            co_return;
        }
        report_trouble(*queue, "no lease yet: " + trouble);
        co_await sleep_for(join_pause);
    }
}

// For jobs that are ours and unknown: all of them after reads whose replies never came, else those
// that have been ours for long.
task<> worker_core::search(worker_queue* queue) {
    const bool all = queue->has_lost_reads;
    const std::uint64_t epoch = queue->epoch;
    const bool complete = co_await audit(queue, all ? duration::zero() : options_.lease);
    if (epoch != queue->epoch) {
        co_return;
    }
    queue->next_audit = loop_.now() + (complete ? options_.lease : options_.heartbeat);
    if (complete && all) {
        queue->has_lost_reads = false;
        room_.set();
    }
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
    room_.set();
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
    const duration limit = std::min<duration>(options_.lease / 3, queue->lease_until - sent);
    const std::uint64_t epoch = queue->epoch;
    result<resp::reply> answer = co_await queue->scripts.run(
        scripts::beat, std::move(keys), std::move(arguments),
        call_options().within(std::max<duration>(limit, std::chrono::milliseconds(1))));
    const time_point now = loop_.now();
    if (epoch != queue->epoch) {
        co_return;
    }
    if (!answer) {
        queue->done += done;
        queue->failed += failed;
        queue->dead += dead;
        if (now >= queue->lease_until) {
            lose_lease(*queue, answer.error().message());
        }
        queue->next_beat = now + std::min<duration>(options_.heartbeat / 4, retry_pause);
        if (!answer.error().from_server()) {
            const bool left = co_await queue->server.leave_silent_owner();
            if (left) {
                queue->fetch.disconnect(answer.error());
            }
        }
        co_return;
    }
    const resp::reply_view heard = answer->view();
    if (heard.size() < 5 || heard[0].integer() != 1) {
        lose_lease(*queue, "it ran out, and others have taken its jobs");
        co_return;
    }
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
    queue.fetch.disconnect(error(make_error_code(job_errc::lease_lost)));
    queue.kick.set();
    startable_.set();
    room_.set();  // other queues may have waited for this one
}

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
        std::move(arguments));
    if (epoch != queue->epoch || is_stopping_) {
        co_return;
    }
    if (!answer) {
        if (!answer.error().from_server()) {
            // What it claimed is ours and unknown; reads that wait would keep us from looking.
            queue->has_lost_reads = true;
            queue->next_audit = loop_.now();
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
    const result<resp::reply> answer = co_await queue->scripts.run(
        scripts::promote, std::move(keys), std::move(arguments), idempotent);
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
