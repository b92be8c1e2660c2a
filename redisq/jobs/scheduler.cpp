#include "scheduler.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>

#include "../../runtime/sleep.hpp"
#include "detail/answer.hpp"

namespace weir::redisq {

using detail::answer_of;

namespace {

constexpr std::size_t name_max = 128;
constexpr std::size_t missed_max = 1000;

scheduler_options sound(scheduler_options options) {
    options.check();
    return options;
}

// A refusal of this command alone: others may go on.
bool concerns_one(const std::error_code& why) {
    static const std::array<std::error_code, 2> own = {errc::wrong_type, errc::server_error};
    return std::ranges::find(own, why) != own.end();
}

// The last tick up to `now` that comes after `after`, if there is one.
std::optional<std::int64_t> last_tick(const cron_schedule& when, std::int64_t after,
                                      std::int64_t now) {
    constexpr std::array<std::int64_t, 5> windows = {3600, 86'400, 31 * 86'400, 366 * 86'400,
                                                     std::int64_t{9} * 366 * 86'400};
    for (const std::int64_t window : windows) {
        const std::int64_t from = std::max(after, now - window);
        std::optional<std::int64_t> found;
        for (auto tick = when.next(from); tick && *tick <= now; tick = when.next(*tick)) {
            found = tick;
        }
        if (found || from == after) {
            return found;
        }
    }
    return std::nullopt;
}

}  // namespace

job_scheduler::job_scheduler(detail::job_server server, std::string_view queue,
                             scheduler_options options)
    : server_(server.of_queue(queue)), keys_(queue), options_(sound(options)), scripts_(server_) {}

void job_scheduler::add_envelope(std::string_view name, cron_schedule when, std::string job) {
    if (name.empty() || name.size() > name_max) {
        throw std::invalid_argument("scheduler: a schedule's name of " +
                                    std::to_string(name.size()) + " bytes; allowed: 1 to " +
                                    std::to_string(name_max));
    }
    if (std::ranges::find(entries_, name, &entry::name) != entries_.end()) {
        throw std::invalid_argument("scheduler: a second schedule '" + std::string(name) +
                                    "'; allowed: one of a name");
    }
    entries_.push_back({std::string(name), std::move(when), std::move(job), catch_up::skip,
                        lane_default, std::nullopt, false});
}

job_scheduler& job_scheduler::with(catch_up missed, int lane) {
    if (entries_.empty()) {
        throw std::invalid_argument("scheduler: with() before any schedule; allowed: after add()");
    }
    if (lane < 0 || lane >= static_cast<int>(lane_count)) {
        throw std::invalid_argument("scheduler: lane is " + std::to_string(lane) +
                                    "; allowed: 0 to 3");
    }
    entries_.back().missed = missed;
    entries_.back().lane = lane;
    return *this;
}

void job_scheduler::report(const std::string& text) const {
    if (options_.on_report) {
        options_.on_report(text);
    } else {
        std::fprintf(stderr, "weir scheduler: %s\n", text.c_str());
    }
}

task<> job_scheduler::run() {
    duration pause = options_.poll;
    for (;;) {
        std::string failure;
        try {
            static_cast<void>(co_await run_once());
        } catch (const exception& problem) {
            failure = problem.what();
        }
        if (failure.empty()) {
            pause = options_.poll;
            if (std::exchange(stats_.is_cut_off, false)) {
                report("queue '" + keys_.queue() + "': goes on");
            }
            co_await sleep_for(pause);
            continue;
        }
        // What was not enqueued is due at the next look.
        ++stats_.failures;
        stats_.last_error = failure;
        if (!std::exchange(stats_.is_cut_off, true)) {
            report("queue '" + keys_.queue() + "': " + failure);
        }
        co_await sleep_for(pause / 2 +
                           duration(static_cast<duration::rep>(
                               random_.next() % static_cast<std::uint64_t>(pause.count()))));
        pause = std::min(pause * 2, std::max(options_.poll, options_.retry_longest));
    }
}

task<std::size_t> job_scheduler::run_once() {
    const std::int64_t now = co_await server_time();
    std::size_t enqueued = 0;
    for (entry& each : entries_) {
        enqueued += co_await serve(&each, now);
    }
    co_return enqueued;
}

// In seconds. Moves what is due on the way.
task<std::int64_t> job_scheduler::server_time() {
    std::string failure;
    try {
        const std::int64_t now = co_await promote();
        cannot_move_ = false;
        co_return now / 1000;
    } catch (const exception& problem) {
        if (!concerns_one(problem.code())) {
            throw;
        }
        failure = problem.what();
    }
    stats_.last_error = failure;
    if (!std::exchange(cannot_move_, true)) {
        report("queue '" + keys_.queue() + "': delayed jobs cannot be moved: " + failure);
    }
    const auto time =
        answer_of(co_await server_.command<std::vector<std::string>>(idempotent, "TIME"));
    std::int64_t seconds = 0;
    if (!time.empty()) {
        std::from_chars(time[0].data(), time[0].data() + time[0].size(), seconds);
    }
    co_return seconds;
}

// One that the server refuses does not keep the others from their turn.
task<std::size_t> job_scheduler::serve(entry* which, std::int64_t now) {
    std::string failure;
    try {
        if (!which->last) {
            co_await begin(which, now);
        }
        const std::size_t enqueued = co_await enqueue_due(which, now);
        if (std::exchange(which->is_refused, false)) {
            --stats_.refused;
            report("queue '" + keys_.queue() + "': schedule '" + which->name + "' goes on");
        }
        co_return enqueued;
    } catch (const exception& problem) {
        if (!concerns_one(problem.code())) {
            throw;
        }
        failure = problem.what();
    }
    stats_.last_error = failure;
    if (!std::exchange(which->is_refused, true)) {
        ++stats_.refused;
        report("queue '" + keys_.queue() + "': schedule '" + which->name +
               "' cannot be served: " + failure);
    }
    co_return 0;
}

// Yields the server's time in milliseconds.
task<std::int64_t> job_scheduler::promote() {
    for (;;) {
        detail::script_runner::words keys(keys_.lanes().begin(), keys_.lanes().end());
        keys.push_back(keys_.delayed());
        keys.push_back(keys_.filed());
        keys.push_back(keys_.dead());
        keys.push_back(keys_.dead_jobs());
        keys.push_back(keys_.meta());
        detail::script_runner::words arguments;
        arguments.push_back(std::to_string(options_.batch));
        const resp::reply answer = answer_of(co_await scripts_.run(
            scripts::promote, std::move(keys), std::move(arguments), idempotent));
        const std::int64_t moved = answer.view()[0].integer();
        stats_.moved += static_cast<std::uint64_t>(moved);
        if (moved == static_cast<std::int64_t>(options_.batch)) {
            continue;
        }
        const std::string_view text = answer.view()[2].text();
        std::int64_t now = 0;
        std::from_chars(text.data(), text.data() + text.size(), now);
        co_return now;
    }
}

// Which tick was the last to be enqueued, by whomever.
task<> job_scheduler::begin(entry* which, std::int64_t now) {
    const auto stored = answer_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.schedules(), which->name));
    std::int64_t last_ms = 0;
    const bool is_known =
        stored &&
        std::from_chars(stored->data(), stored->data() + stored->size(), last_ms).ec == std::errc{};
    which->last = is_known && which->missed != catch_up::skip ? last_ms / 1000 : now;
}

task<std::size_t> job_scheduler::enqueue_due(entry* which, std::int64_t now) {
    std::size_t enqueued = 0;
    std::size_t looked_at = 0;
    std::optional<std::int64_t> tick = which->when.next(*which->last);
    if (tick && *tick <= now && which->missed != catch_up::all) {
        // Of several that have passed, the last one stands for all.
        const auto last = last_tick(which->when, *which->last, now);
        tick = last ? last : tick;
    }
    for (; tick && *tick <= now && looked_at < missed_max; ++looked_at) {
        const bool first = co_await enqueue(which, *tick);
        enqueued += first ? 1 : 0;
        stats_.enqueued += first ? 1 : 0;
        which->last = *tick;
        tick = which->when.next(*tick);
    }
    if (looked_at == missed_max) {
        which->last = now;
    }
    co_return enqueued;
}

task<bool> job_scheduler::enqueue(const entry* which, std::int64_t tick) {
    detail::script_runner::words keys;
    keys.push_back(keys_.schedules());
    keys.push_back(keys_.lane(static_cast<std::size_t>(which->lane)));
    detail::script_runner::words arguments;
    arguments.push_back(which->name);
    arguments.push_back(std::to_string(tick * 1000));
    arguments.push_back(which->job);
    const resp::reply answer = answer_of(
        co_await scripts_.run(scripts::tick, std::move(keys), std::move(arguments), idempotent));
    co_return !answer.view().text().empty();
}

}  // namespace weir::redisq
