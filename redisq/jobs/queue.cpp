#include "queue.hpp"

#include <algorithm>
#include <stdexcept>

#include "../../runtime/sleep.hpp"
#include "detail/answer.hpp"
#include "detail/result_board.hpp"

namespace weir::redisq {

using detail::answer_of;

namespace {

constexpr std::size_t limited_batch = 200;
constexpr duration room_wait_first = std::chrono::milliseconds(2);
constexpr duration room_wait_longest = std::chrono::milliseconds(50);
constexpr duration repeat_memory = std::chrono::minutes(1);

std::uint64_t milliseconds_of(duration length) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

// How long Redis has to know of a call that may be repeated: the call goes on as long as its time
// allows, and may teach the scripts in between.
duration memory_of_repeats(const client_options& server) {
    if (server.command_timeout == duration::zero()) {
        return std::chrono::hours(24);
    }
    return std::max(repeat_memory, 4 * server.command_timeout);
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

}  // namespace

queue::queue(detail::job_server server, std::string_view name, queue_options options)
    : server_(server.of_queue(name)),
      keys_(name),
      options_(sound(options)),
      scripts_(server_),
      producer_(random_.token()) {}

queue::~queue() = default;

void queue::check_size(std::string_view type, std::size_t bytes) const {
    if (bytes > options_.max_payload) {
        throw job_exception(job_errc::payload_too_large,
                            "job of type '" + std::string(type) + "' for queue '" + keys_.queue() +
                                "' has " + std::to_string(bytes) + " bytes; allowed: at most " +
                                std::to_string(options_.max_payload));
    }
}

// Of one step of a chain, or of a job that is none.
envelope queue::head_with(const submit_options& options, const chain_step& step) const {
    envelope job;
    job.type = step.type;
    job.format = step.format;
    job.timeout_ms = milliseconds_of(options.timeout_);
    job.result_ms = options.keep_result_ ? milliseconds_of(options_.result_ttl) : 0;
    job.reply_to = options.keep_result_ ? std::string_view(producer_) : std::string_view();
    job.unique_key = options.unique_;
    job.trace = options.trace_;
    return job;
}

std::string queue::envelope_with(const submit_options& options, std::string_view type,
                                 payload_format format, std::string_view payload) const {
    return chain_with(options, std::vector<chain_step>(1, {type, format, lane_default}), payload);
}

// The last one stands inside the one before, and so on.
std::string queue::chain_with(const submit_options& options, const std::vector<chain_step>& steps,
                              std::string_view payload) const {
    std::string next;
    std::string bytes;
    for (std::size_t i = steps.size(); i-- != 0;) {
        envelope job = head_with(options, steps[i]);
        job.next = next;
        if (i == 0) {
            job.expires_ms = milliseconds_of(options.expires_);
            job.payload = payload;
        }
        bytes.assign(i == 0 ? 0 : 1, static_cast<char>('0' + steps[i].lane));
        write_envelope(bytes, job);
        next.swap(bytes);
    }
    return next;
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
    std::string entry = answer_of(
        co_await server_.command<std::string>("XADD", keys_.lane(index), "*", job_field, bytes));
    entry += '.';
    entry += static_cast<char>('0' + lane);
    co_return entry;
}

task<> queue::wait_for_room(duration* pause) {
    co_await sleep_for(*pause / 2 +
                       duration(static_cast<duration::rep>(
                           random_.next() % static_cast<std::uint64_t>(pause->count()))));
    *pause = std::min(*pause * 2, room_wait_longest);
}

// While somebody waits for room, others stand in line, so that nobody overtakes him.
task<std::size_t> queue::add_limited(const std::vector<std::string>* jobs, int lane, bool waits,
                                     std::string* id) {
    if (!waits && line_.is_locked()) {
        throw full();
    }
    std::optional<mutex::guard> turn;
    if (line_.is_locked()) {
        turn = co_await line_.lock();
    }
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
        const resp::reply answer = answer_of(
            co_await scripts_.run(scripts::submit, std::move(keys), std::move(arguments)));
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
        if (!turn) {
            turn = co_await line_.lock();
        }
        co_await wait_for_room(&pause);
    }
    co_return added;
}

task<job_handle_base> queue::submit_with(submit_options options, std::string bytes, bool waits) {
    if (!options.needs_script()) {
        std::string id = co_await add_plain(std::move(bytes), options.lane_, waits);
        co_return job_handle_base(*this, std::move(id), false, options.keep_result_,
                                  options.keep_result_);
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
    std::optional<mutex::guard> turn;
    if (options_.max_length != 0 && line_.is_locked()) {
        if (!waits) {
            throw full();
        }
        turn = co_await line_.lock();
    }
    duration pause = room_wait_first;
    for (;;) {
        detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
        keys.push_back(keys_.delayed());
        keys.push_back(keys_.filed());
        keys.push_back(keys_.meta());
        keys.push_back(keys_.unique(options.unique_));
        keys.push_back(keys_.token(token));
        detail::script_runner::words arguments;
        arguments.push_back(bytes);
        arguments.push_back(std::to_string(options.lane_));
        arguments.push_back(kind);
        arguments.push_back(due);
        arguments.push_back(std::to_string(options_.max_length));
        arguments.push_back(std::to_string(milliseconds_of(held)));
        arguments.push_back(token);
        arguments.push_back(std::to_string(milliseconds_of(memory_of_repeats(server_.options()))));
        const resp::reply answer = answer_of(
            co_await scripts_.run(scripts::file, std::move(keys), std::move(arguments), how));
        const std::int64_t outcome = answer.view().size() == 2 ? answer.view()[0].integer() : -1;
        if (outcome >= 0 && outcome <= 2) {
            co_return job_handle_base(*this, std::string(answer.view()[1].text()), outcome == 1,
                                      options.keep_result_, options.keep_result_ && outcome != 1);
        }
        if (!waits) {
            throw full();
        }
        if (!turn) {
            turn = co_await line_.lock();
        }
        co_await wait_for_room(&pause);
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

// The envelope of a job that waits, runs or is delayed.
task<std::optional<std::string>> queue::read_job(std::string id) {
    std::optional<std::string> filed =
        answer_of(co_await server_.command<std::optional<std::string>>(idempotent, "HGET",
                                                                       keys_.filed(), id));
    if (filed && !filed->starts_with('@')) {
        co_return filed->substr(std::min<std::size_t>(filed->size(), 1));
    }
    const std::optional<job_id_parts> parts = parse_job_id(id);
    const bool is_placed = filed && filed->size() > 2;
    const char lane = is_placed ? (*filed)[1] : parts ? parts->kind : 'd';
    if (lane < '0' || lane > '3') {
        co_return std::nullopt;
    }
    const std::string entry = is_placed ? filed->substr(2) : id.substr(0, id.find('.'));
    const resp::reply found = answer_of(co_await server_.command<resp::reply>(
        idempotent, "XRANGE", keys_.lane(static_cast<std::size_t>(lane - '0')), entry, entry));
    if (found.view().empty()) {
        co_return std::nullopt;
    }
    const resp::reply_view fields = found.view()[0][1];
    co_return std::string(fields.size() >= 2 ? fields[1].text() : std::string_view());
}

task<cancel_outcome> queue::cancel(std::string id) {
    if (!parse_job_id(id)) {
        co_return cancel_outcome::unknown;
    }
    const std::string mark = "c" + random_.token();
    const std::uint64_t kept_ms =
        milliseconds_of(std::max(options_.result_ttl, memory_of_repeats(server_.options())));
    for (;;) {
        // What it is to give back does not change while it moves about.
        const std::optional<std::string> bytes = co_await read_job(id);
        const result<envelope> job = read_envelope(bytes ? *bytes : std::string_view());
        const std::string_view unique = job ? job->unique_key : std::string_view();
        const std::string_view reply_to = job ? job->reply_to : std::string_view();
        detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
        keys.push_back(keys_.delayed());
        keys.push_back(keys_.filed());
        keys.push_back(keys_.cancels());
        keys.push_back(keys_.leases());
        keys.push_back(keys_.result(id));
        keys.push_back(keys_.unique(unique));
        detail::script_runner::words arguments;
        arguments.emplace_back(job_group);
        arguments.push_back(id);
        arguments.push_back(mark);
        arguments.push_back(std::to_string(kept_ms));
        arguments.emplace_back(unique.empty() ? "0" : "1");
        arguments.push_back(reply_to.empty() ? std::string() : keys_.channel(reply_to));
        arguments.emplace_back(bytes ? "1" : "0");
        const resp::reply answer = answer_of(co_await scripts_.run(
            scripts::cancel, std::move(keys), std::move(arguments), idempotent));
        const std::string_view word = answer.view().text();
        if (word != "again") {
            co_return word == "running" ? cancel_outcome::asked
            : word == "canceled"        ? cancel_outcome::canceled
                                        : cancel_outcome::unknown;
        }
    }
}

task<std::size_t> queue::size() {
    detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
    keys.push_back(keys_.delayed());
    detail::script_runner::words none;
    const resp::reply answer = answer_of(
        co_await scripts_.run(scripts::size, std::move(keys), std::move(none), idempotent));
    co_return static_cast<std::size_t>(answer.view().integer());
}

}  // namespace weir::redisq
