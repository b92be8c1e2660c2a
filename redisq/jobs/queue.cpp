#include "queue.hpp"

#include <algorithm>
#include <stdexcept>

#include "../../runtime/sleep.hpp"

namespace weir::redisq {
namespace {

constexpr std::size_t limited_batch = 200;
constexpr duration room_wait_first = std::chrono::milliseconds(2);
constexpr duration room_wait_longest = std::chrono::milliseconds(50);
constexpr duration result_wait_first = std::chrono::milliseconds(1);
constexpr duration result_wait_longest = std::chrono::milliseconds(50);
constexpr std::chrono::milliseconds repeat_memory{60'000};

std::uint64_t milliseconds_of(duration length) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

queue_options sound(queue_options options) {
    options.check();
    return options;
}

void check_lane(int lane) {
    if (lane < 0 || lane >= static_cast<int>(lane_count)) {
        throw std::invalid_argument("lane is " + std::to_string(lane) + "; allowed: 0 to 3");
    }
}

template <class T>
T value_of(result<T> outcome) {
    if (!outcome) {
        if (outcome.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(outcome.error());
    }
    return std::move(*outcome);
}

}  // namespace

queue::queue(detail::job_server server, std::string_view name, queue_options options)
    : server_(server.of_queue(name)), keys_(name), options_(sound(options)), scripts_(server_) {}

void queue::check_size(std::string_view type, std::size_t bytes) const {
    if (bytes > options_.max_payload) {
        throw job_exception(job_errc::payload_too_large,
                            "job of type '" + std::string(type) + "' for queue '" + keys_.queue() +
                                "' has " + std::to_string(bytes) + " bytes; allowed: at most " +
                                std::to_string(options_.max_payload));
    }
}

std::string queue::envelope_with(const submit_options& options, std::string_view type,
                                 payload_format format, std::string_view payload) const {
    envelope job;
    job.type = type;
    job.format = format;
    job.expires_ms = milliseconds_of(options.expires_);
    job.timeout_ms = milliseconds_of(options.timeout_);
    job.result_ms = options.keep_result_ ? milliseconds_of(options_.result_ttl) : 0;
    job.unique_key = options.unique_;
    job.trace = options.trace_;
    job.payload = payload;
    std::string bytes;
    write_envelope(bytes, job);
    return bytes;
}

exception queue::full() const {
    return job_exception(job_errc::queue_full, "queue '" + keys_.queue() + "' is full: it has " +
                                                   std::to_string(options_.max_length) +
                                                   " jobs, its limit");
}

task<job_handle_base> queue::submit_plain(std::string bytes, bool waits) {
    std::string id = co_await add_plain(std::move(bytes), lane_default, waits);
    co_return job_handle_base(*this, std::move(id), false, false);
}

task<std::string> queue::submit_envelope(std::string bytes, int lane) {
    check_lane(lane);
    check_size("(an envelope)", bytes.size());
    co_return co_await add_plain(std::move(bytes), lane, true);
}

task<std::string> queue::add_plain(std::string bytes, int lane, bool waits) {
    const auto index = static_cast<std::size_t>(lane);
    if (options_.max_length != 0) {
        std::vector<std::string> one;
        one.push_back(std::move(bytes));
        std::string id;
        co_await add_limited(&one, lane, waits, &id);
        co_return id;
    }
    std::string entry = value_of(
        co_await server_.command<std::string>("XADD", keys_.lane(index), "*", job_field, bytes));
    entry += '.';
    entry += static_cast<char>('0' + lane);
    co_return entry;
}

// In line with others of this queue, so that nobody overtakes who waits.
task<std::size_t> queue::add_limited(const std::vector<std::string>* jobs, int lane, bool waits,
                                     std::string* id) {
    const mutex::guard turn = co_await line_.lock();
    duration pause = room_wait_first;
    std::size_t added = 0;
    while (added < jobs->size()) {
        detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
        keys.push_back(keys_.delayed());
        detail::script_runner::words arguments;
        arguments.push_back(std::to_string(options_.max_length));
        arguments.push_back(std::to_string(lane));
        const std::size_t end = std::min(jobs->size(), added + limited_batch);
        arguments.insert(arguments.end(), jobs->begin() + static_cast<std::ptrdiff_t>(added),
                         jobs->begin() + static_cast<std::ptrdiff_t>(end));
        const resp::reply answer =
            value_of(co_await scripts_.run(scripts::submit, std::move(keys), std::move(arguments)));
        const std::size_t count = answer.view().size();
        if (count != 0 && id != nullptr) {
            *id = first_job_id(answer.view()[0].text(), static_cast<std::size_t>(lane));
        }
        added += count;
        if (count != 0) {
            pause = room_wait_first;
        }
        if (added == end) {
            continue;
        }
        if (!waits) {
            throw full();
        }
        co_await sleep_for(pause / 2 +
                           duration(static_cast<duration::rep>(
                               random_.next() % static_cast<std::uint64_t>(pause.count()))));
        pause = std::min(pause * 2, room_wait_longest);
    }
    co_return added;
}

task<job_handle_base> queue::submit_with(submit_options options, std::string bytes, bool waits) {
    if (!options.needs_script()) {
        std::string id = co_await add_plain(std::move(bytes), options.lane_, waits);
        co_return job_handle_base(*this, std::move(id), false, options.keep_result_);
    }
    std::string token;
    const duration held = options.unique_.empty() ? duration::zero() : options_.unique_ttl;
    if (!options.unique_.empty() || options.repeat_safely_) {
        token = random_.token();
    }
    std::string kind = "now";
    std::string due = "0";
    if (options.at_) {
        kind = "at";
        due = std::to_string(
            std::chrono::duration_cast<std::chrono::milliseconds>(options.at_->time_since_epoch())
                .count());
    } else if (options.delay_ != duration::zero()) {
        kind = "in";
        due = std::to_string(milliseconds_of(options.delay_));
    }
    const call_options how = token.empty() ? call_options() : idempotent;
    duration pause = room_wait_first;
    for (;;) {
        detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
        keys.push_back(keys_.delayed());
        keys.push_back(keys_.filed());
        keys.push_back(keys_.meta());
        keys.push_back(keys_.unique(options.unique_));
        keys.push_back(keys_.unique("~" + token));
        detail::script_runner::words arguments;
        arguments.push_back(bytes);
        arguments.push_back(std::to_string(options.lane_));
        arguments.push_back(kind);
        arguments.push_back(due);
        arguments.push_back(std::to_string(options_.max_length));
        arguments.push_back(std::to_string(milliseconds_of(held)));
        arguments.push_back(token);
        arguments.push_back(std::to_string(repeat_memory.count()));
        const resp::reply answer = value_of(
            co_await scripts_.run(scripts::file, std::move(keys), std::move(arguments), how));
        const std::int64_t outcome = answer.view().size() == 2 ? answer.view()[0].integer() : -1;
        if (outcome >= 0 && outcome <= 2) {
            co_return job_handle_base(*this, std::string(answer.view()[1].text()), outcome == 1,
                                      options.keep_result_);
        }
        if (!waits) {
            throw full();
        }
        co_await sleep_for(pause);
        pause = std::min(pause * 2, room_wait_longest);
    }
}

queue::bulk::bulk(queue& owner, int lane) : owner_(owner), lane_(lane) { check_lane(lane); }

void queue::bulk::add(std::string_view job) {
    if (owner_.options_.max_length != 0) {
        limited_.emplace_back(job);
    } else {
        static constexpr resp::static_command<"XADD"> add_entry;
        commands_[filling_].add(add_entry, owner_.keys_.lane(static_cast<std::size_t>(lane_)), "*",
                                job_field, job);
    }
    ++count_;
    bytes_ += job.size();
}

task<> queue::bulk::transmit(bulk* self, std::size_t which) {
    const auto sent = co_await self->owner_.server_.execute(self->commands_[which],
                                                            self->answers_[which], call_options());
    if (!sent) {
        if (sent.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(sent.error());
    }
    if (const std::optional<error> refused = self->answers_[which].first_error()) {
        throw exception(*refused);
    }
    self->commands_[which].clear();
}

task<> queue::send(bulk* batch) {
    if (batch->count_ == 0) {
        co_return;
    }
    batch->count_ = 0;
    batch->bytes_ = 0;
    if (options_.max_length != 0) {
        co_await add_limited(&batch->limited_, batch->lane_, true, nullptr);
        batch->limited_.clear();
        co_return;
    }
    if (batch->sending_) {
        co_await batch->sending_->join();
    }
    batch->sending_.emplace();
    batch->sending_->spawn(bulk::transmit(batch, batch->filling_));
    batch->filling_ = 1 - batch->filling_;
}

task<> queue::finish(bulk* batch, bool has_failed) {
    if (!has_failed) {
        co_await send(batch);
    }
    if (!batch->sending_) {
        co_return;
    }
    try {
        co_await batch->sending_->join();
    } catch (...) {
        if (!has_failed) {
            throw;
        }
    }
}

task<cancel_outcome> queue::cancel(std::string id) {
    detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
    keys.push_back(keys_.delayed());
    keys.push_back(keys_.filed());
    keys.push_back(keys_.cancels());
    keys.push_back(keys_.result(id));
    detail::script_runner::words arguments;
    arguments.emplace_back(job_group);
    arguments.push_back(id);
    arguments.emplace_back("c");
    arguments.push_back(std::to_string(milliseconds_of(options_.result_ttl)));
    const resp::reply answer = value_of(
        co_await scripts_.run(scripts::cancel, std::move(keys), std::move(arguments), idempotent));
    const std::string_view word = answer.view()[0].text();
    if (word == "running") {
        co_return cancel_outcome::asked;
    }
    if (word != "canceled") {
        co_return cancel_outcome::unknown;
    }
    const auto job = read_envelope(answer.view()[1].text());
    if (job && !job->unique_key.empty()) {
        detail::script_runner::words unique;
        unique.push_back(keys_.unique(job->unique_key));
        detail::script_runner::words owner;
        owner.push_back(id);
        static_cast<void>(value_of(co_await scripts_.run(scripts::release, std::move(unique),
                                                         std::move(owner), idempotent)));
    }
    co_return cancel_outcome::canceled;
}

task<std::size_t> queue::size() {
    std::size_t count =
        value_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.delayed()));
    for (const std::string& lane : keys_.lanes()) {
        count += value_of(co_await server_.command<std::size_t>(idempotent, "XLEN", lane));
    }
    co_return count;
}

task<std::string> queue::wait_for_result(std::string id, duration limit) {
    const time_point deadline = saturating_add(scheduler::current()->now(), limit);
    const std::string key = keys_.result(id);
    duration pause = result_wait_first;
    for (;;) {
        const std::optional<std::string> record =
            value_of(co_await server_.command<std::optional<std::string>>(idempotent, "GET", key));
        if (record && record->starts_with('v')) {
            co_return record->substr(2);
        }
        if (record && record->starts_with('d')) {
            throw job_exception(job_errc::dead, "job " + id + " is dead: " + record->substr(1));
        }
        if (record && record->starts_with('c')) {
            throw job_exception(job_errc::canceled, "job " + id + " was canceled");
        }
        const time_point now = scheduler::current()->now();
        if (now >= deadline) {
            throw job_exception(job_errc::result_timed_out,
                                "job " + id + " has no result yet; it may still end");
        }
        co_await sleep_until(std::min(deadline, saturating_add(now, pause)));
        pause = std::min(pause * 2, result_wait_longest);
    }
}

task<std::optional<std::string>> queue::read_progress(std::string id) {
    std::optional<std::string> record = value_of(
        co_await server_.command<std::optional<std::string>>(idempotent, "GET", keys_.result(id)));
    if (!record || !record->starts_with('p')) {
        co_return std::nullopt;
    }
    co_return record->substr(1);
}

task<cancel_outcome> job_handle_base::cancel() const { return queue_->cancel(id_); }

task<std::optional<std::string>> job_handle_base::progress() const {
    return queue_->read_progress(id_);
}

namespace {

task<std::string> no_result(std::string id) {
    throw job_exception(job_errc::no_result,
                        "job " + id + " keeps no result; submit it with keep_result()");
    co_return std::string();
}

}  // namespace

task<std::string> job_handle_base::wait(duration limit) const {
    return has_result_ ? queue_->wait_for_result(id_, limit) : no_result(id_);
}

}  // namespace weir::redisq
