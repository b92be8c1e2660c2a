// How jobs end: what became of them, and how Redis is told.
//
// A plain end is an entry gone: XDEL and XACK of all that ended meanwhile, one command each for a
// lane. An end that leaves something behind (a result, a retry, a dead job) is a script each, which
// does nothing where the job is no longer ours. One flush is under way at a time for a queue, so
// that the next one gathers what ends meanwhile.
#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

// Before what was refused or not answered is sent again.
constexpr duration flush_pause = std::chrono::milliseconds(100);
// How long the ends bring the texts of their scripts, before digests are tried again.
constexpr duration texts_time = std::chrono::seconds(1);

std::string text_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& problem) {
        return problem.what();
    } catch (...) {
        return "something that is no std::exception was thrown";
    }
}

template <class E>
bool is(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const E&) {
        return true;
    } catch (...) {
        return false;
    }
}

bool is_bad_payload(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const exception& problem) {
        return problem.code() == job_errc::bad_payload;
    } catch (...) {
        return false;
    }
}

// A refusal that says nothing about the command: the server is not ready to run any.
bool is_passing(const resp::reply_view& answer) {
    static constexpr std::array words = {"LOADING ",    "BUSY ",       "MISCONF ",    "READONLY ",
                                         "MASTERDOWN ", "NOREPLICAS ", "CLUSTERDOWN "};
    return answer.is_error() && std::ranges::any_of(words, [&](std::string_view word) {
               return answer.text().starts_with(word);
           });
}

// The result's first letters: what became of the job, and how its bytes are written.
std::string value_record(const envelope& job, std::string_view bytes) {
    std::string record = "v";
    record += static_cast<char>('0' + static_cast<int>(job.format));
    record += bytes;
    return record;
}

std::size_t lane_of_next(const envelope& job) {
    return static_cast<std::size_t>(job.next.front() - '0') % lane_count;
}

// Both ways in which a wait tells that its task was asked to stop.
bool is_stop(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const canceled&) {
        return true;
    } catch (const std::system_error& problem) {
        return problem.code() == std::errc::operation_canceled;
    } catch (...) {
        return false;
    }
}

}  // namespace

void worker_core::ended(job_context& job, const std::exception_ptr& error) {
    worker_queue& queue = *job.queue_;
    if (error == nullptr) {
        succeeded(job);
        return;
    }
    if (job.epoch_ != queue.epoch) {
        ++stats_.lost;
        drop(job);
    } else if (job.stop_reason_ == job_context::stop_reason::canceled) {
        end_canceled(job);
    } else if (is_stopping_ && is_stop(error)) {
        drop(job);  // handed back with the lease
    } else {
        failed(job, error);
    }
}

// However it came out: nobody wants another attempt, or what follows in its chain.
void worker_core::end_canceled(job_context& job) {
    ++stats_.canceled;
    add_end({&job, job_end::kind::settle, "c", {}, 0});
}

void worker_core::succeeded(job_context& job) {
    worker_queue& queue = *job.queue_;
    const envelope& head = job.envelope_;
    if (!head.next.empty() && job.stop_reason_ == job_context::stop_reason::canceled) {
        end_canceled(job);  // this step came through all the same; nobody wants the next ones
        return;
    }
    ++stats_.done;
    ++queue.done;
    if (!head.next.empty()) {
        std::string bytes(head.next.substr(1));
        bytes += job.result_;
        add_end({&job, job_end::kind::settle, {}, std::move(bytes), 0});
        return;
    }
    if (head.result_ms != 0 || !head.unique_key.empty() || !job.filed_id_.empty()) {
        std::string record = head.result_ms != 0 ? value_record(head, job.result_) : std::string();
        add_end({&job, job_end::kind::settle, std::move(record), {}, 0});
        return;
    }
    queue.acks[job.lane_].add(job.entry_);
    queue.flushed.reset();
    queue.flush.set();
    release(job);
}

void worker_core::failed(job_context& job, const std::exception_ptr& error) {
    ++stats_.failed;
    ++job.queue_->failed;
    const std::string reason =
        is<timed_out>(error) ? "timed out: the run took longer than it may" : text_of(error);
    if (is<give_up>(error) || is_bad_payload(error)) {
        bury(job, reason, true);
        return;
    }
    const retry_policy& policy = job.handler_->options().retry;
    const failed_attempt failure{job.attempt(), error, random_.next()};
    if (const std::optional<duration> delay = policy.delay(failure)) {
        ++stats_.retried;
        retry(job, *delay, reason, true);
    } else {
        bury(job, reason, true);
    }
}

// `counts`: as a failed attempt, with its reason; else the job only waits.
void worker_core::retry(job_context& job, duration delay, const std::string& reason, bool counts) {
    envelope changed = job.envelope_;
    changed.crashes = job.crashes();
    std::string history;
    if (counts) {
        history = add_to_history(changed.history, job.attempt(), server_ms(*job.queue_),
                                 job.queue_->consumer, reason);
        changed.history = history;
        ++changed.attempts;
    }
    std::string bytes;
    write_envelope(bytes, changed);
    const auto delay_ms = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
    add_end(
        {&job, job_end::kind::retry, {}, std::move(bytes), static_cast<std::uint64_t>(delay_ms)});
}

// `has_run`: the job failed, which is one more attempt; else it never began.
void worker_core::bury(job_context& job, const std::string& reason, bool has_run) {
    ++stats_.dead;
    ++job.queue_->dead;
    add_death(job, reason, has_run);
}

void worker_core::add_death(job_context& job, const std::string& reason, bool has_run) {
    std::string bytes(job.raw_);
    // What cannot be read is kept as it is.
    if (!job.envelope_.type.empty()) {
        envelope changed = job.envelope_;
        const std::string history = add_to_history(
            changed.history, job.attempt(), server_ms(*job.queue_), job.queue_->consumer, reason);
        changed.history = history;
        changed.attempts += has_run ? 1 : 0;
        changed.crashes = 0;  // should somebody revive it, it begins anew
        bytes.clear();
        write_envelope(bytes, changed);
    } else {
        report("queue '" + job.queue_->keys.queue() + "': job " + job.id() + " is dead: " + reason);
    }
    add_end({&job, job_end::kind::bury, "d" + reason, std::move(bytes), 0});
}

// Forgets a job that stays pending in Redis.
void worker_core::drop(job_context& job) noexcept {
    take_out(job);
    release(job);
}

void worker_core::add_end(job_end end) {
    worker_queue& queue = *end.job->queue_;
    end.job->place_ = job_context::place::ended;
    forget_pass(*end.job);
    queue.ends.push_back(std::move(end));
    queue.flushed.reset();
    queue.flush.set();
}

task<> worker_core::flush_loop(worker_queue* queue) {
    const auto is_empty = [queue] {
        bool empty = queue->ends.empty() && queue->ends_sent.empty();
        for (std::size_t lane = 0; lane < lane_count; ++lane) {
            empty = empty && queue->acks[lane].empty() && queue->acks_sent[lane].empty();
        }
        return empty;
    };
    for (;;) {
        if (is_empty()) {
            queue->flushed.set();
            queue->flush.reset();
            co_await queue->flush.wait();
            continue;
        }
        co_await flush_once(queue);
    }
}

task<> worker_core::flush_once(worker_queue* queue) {
    resp::command_buffer& out = queue->out;
    out.clear();
    std::size_t plain = 0;
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
        if (queue->acks_sent[lane].empty()) {
            queue->acks_sent[lane].swap(queue->acks[lane]);
        }
        if (!queue->acks_sent[lane].empty()) {
            queue->acks_sent[lane].encode(out, queue->scratch, queue->keys.lane(lane));
            plain += 2;
        }
    }
    if (queue->ends_sent.empty()) {
        queue->ends_sent.swap(queue->ends);
    }
    const bool by_text = loop_.now() < queue->texts_until;
    if (!queue->ends_sent.empty() && !by_text && queue->scripts.digest(scripts::settle).empty()) {
        const result<void> loaded = co_await queue->scripts.load();
        if (!loaded) {
            co_await sleep_for(flush_pause);
            co_return;
        }
    }
    for (const job_end& end : queue->ends_sent) {
        encode_end(*queue, end, by_text, out);
    }
    ++stats_.flushes;
    // All of it may run twice. When the lease is over, whoever was asked is not waited for any
    // more: the queue may be another node's by now.
    const duration limit = std::max(options_.lease, queue->server.options().command_timeout);
    const result<void> sent =
        co_await queue->server.execute(out, queue->answers, idempotent.within(limit));
    if (!sent) {
        co_await sleep_for(flush_pause);
        co_return;
    }
    for (std::size_t i = 0; i < queue->answers.size(); ++i) {
        if (is_passing(queue->answers[i])) {
            co_await sleep_for(flush_pause);
            co_return;
        }
    }
    const bool was_asked = queue->answers.size() != plain && !by_text;
    take_ends(*queue, plain);
    const bool is_unknown = !queue->ends_sent.empty();
    if (is_unknown) {
        queue->scripts.forget();
        if (by_text || queue->knows_no_scripts) {
            // A slot that moves sends them to a node that cannot be taught.
            queue->texts_until = saturating_add(loop_.now(), texts_time);
            co_await sleep_for(flush_pause);
        }
    }
    queue->knows_no_scripts = was_asked ? is_unknown : queue->knows_no_scripts;
}

// What has been answered is done with, but for ends whose script the server did not know. The first
// `plain` answers are those to commands.
void worker_core::take_ends(worker_queue& queue, std::size_t plain) {
    for (std::size_t i = 0; i < plain; ++i) {
        if (queue.answers[i].is_error()) {
            report("queue '" + queue.keys.queue() + "': " + std::string(queue.answers[i].text()));
        }
    }
    for (ack_list& each : queue.acks_sent) {
        each.clear();
    }
    std::vector<job_end> ends = std::exchange(queue.ends_sent, {});
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const resp::reply_view answer = queue.answers[plain + i];
        if (answer.is_error() && answer.text().starts_with("NOSCRIPT")) {
            queue.ends_sent.push_back(std::move(ends[i]));
        } else {
            end_sent(queue, std::move(ends[i]), answer);
        }
    }
}

// `by_text`: for a server that does not know the scripts.
void worker_core::encode_end(worker_queue& queue, const job_end& end, bool by_text,
                             resp::command_buffer& out) {
    const std::string_view run = by_text ? "EVAL" : "EVALSHA";
    const auto name_of = [&queue, by_text](const job_script& script) {
        return by_text ? script.text : std::string_view(queue.scripts.digest(script));
    };
    job_context& job = *end.job;
    const envelope& head = job.envelope_;
    const queue_keys& keys = queue.keys;
    const std::string& lane = keys.lane(job.lane_);
    // What began under a lease that was lost is not this worker's any more, whoever runs it now.
    const std::string_view owner =
        job.epoch_ == queue.epoch ? std::string_view(queue.consumer) : "~gone";
    if (end.what == job_end::kind::aside) {
        const std::string holder = "~v" + std::to_string(envelope_version_of(job.raw_));
        out.add(run, name_of(scripts::aside), 1, lane, job_group, owner, job.entry_, holder);
        return;
    }
    if (end.what == job_end::kind::retry) {
        std::string first_word(1, static_cast<char>('0' + job.lane_));
        out.add(run, name_of(scripts::retry), 3, lane, keys.delayed(), keys.filed(), job_group,
                owner, job.entry_, job.id(), first_word, end.bytes, end.delay_ms);
        return;
    }
    const std::string result_key = keys.result(job.id());
    const std::string unique_key = keys.unique(head.unique_key);
    // What waits for the job's end, and its unique key, are the last step's of a chain.
    const bool goes_on = end.what == job_end::kind::settle && !end.bytes.empty();
    const bool is_unique = !head.unique_key.empty() && !goes_on;
    const std::string_view unique_id = is_unique ? std::string_view(job.id()) : "";
    const std::string channel = head.reply_to.empty() || goes_on ? "" : keys.channel(head.reply_to);
    const std::uint64_t keep_ms = end.record.empty() ? 0 : head.result_ms;
    if (end.what == job_end::kind::settle) {
        const std::size_t next_lane = goes_on ? lane_of_next(head) : job.lane_;
        out.add(run, name_of(scripts::settle), 5, lane, keys.filed(), result_key, unique_key,
                keys.lane(next_lane), job_group, owner, job.entry_, job.filed_id_, end.record,
                keep_ms, unique_id, channel, job.id(), next_lane, end.bytes);
    } else {
        out.add(run, name_of(scripts::bury), 6, lane, keys.dead(), keys.dead_jobs(), keys.filed(),
                result_key, unique_key, job_group, owner, job.entry_, job.id(), end.bytes,
                end.record, keep_ms, unique_id, channel, job.id());
    }
}

void worker_core::end_sent(worker_queue& queue, job_end end, const resp::reply_view& answer) {
    job_context& job = *end.job;
    if (answer.is_error()) {
        if (end_refused(queue, end, answer.text())) {
            return;
        }
    } else if (end.what == job_end::kind::aside && answer.integer() == 1) {
        ++stats_.set_aside;
        report("queue '" + queue.keys.queue() + "': job " + job.id() + " is of envelope version " +
               std::to_string(envelope_version_of(job.raw_)) + " and left alone");
    } else if (end.what == job_end::kind::retry) {
        if (answer.size() == 2 && answer[0].integer() == 1) {
            const time_point due = loop_.now() + std::chrono::milliseconds(end.delay_ms);
            if (due < queue.next_due) {
                queue.next_due = due;
                queue.kick.set();
            }
        } else {
            ++stats_.lost;
        }
    } else if (answer.integer() == 0) {
        ++stats_.lost;
    } else if (!queue.refused.empty()) {
        queue.refused.erase(job.id());
    }
    release(job);
}

}  // namespace weir::redisq::detail
