#include "admin.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>

#include "../resp/reply.hpp"
#include "queue.hpp"

namespace weir::redisq {
namespace {

template <class T>
T value_of(result<T> outcome) {
    if (!outcome) {
        if (outcome.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(outcome.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*outcome);
    }
}

// The same, where a missing group or key means none.
std::optional<resp::reply> value_unless_missing(result<resp::reply> outcome) {
    if (!outcome && outcome.error().code() == errc::no_group) {
        return std::nullopt;
    }
    return value_of(std::move(outcome));
}

std::uint64_t number_of(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<std::uint64_t>(value);
}

std::uint64_t number_of(const resp::reply_view& view) {
    if (view.kind() == resp::type::integer) {
        return static_cast<std::uint64_t>(view.integer());
    }
    if (view.kind() == resp::type::floating) {
        return static_cast<std::uint64_t>(view.floating());
    }
    return number_of(view.text());
}

void describe(job_description& out, std::string_view bytes) {
    const result<envelope> read = read_envelope(bytes);
    if (!read) {
        out.problem = read.error().message();
        out.payload = bytes;
        return;
    }
    out.type = read->type;
    out.format = read->format;
    out.payload = read->payload;
    out.attempts = read->attempts;
    out.history = read->history;
}

void describe_entry(job_description& out, std::size_t lane, const resp::reply_view& entry) {
    out.lane = static_cast<int>(lane);
    out.id = first_job_id(entry[0].text(), lane);
    const resp::reply_view fields = entry[1];
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].text() == job_field) {
            describe(out, fields[i + 1].text());
        } else if (fields[i].text() == job_id_field) {
            out.id = fields[i + 1].text();
        }
    }
}

void check_limit(std::size_t limit) {
    if (limit == 0 || limit > 10'000) {
        throw std::invalid_argument("list: the limit is " + std::to_string(limit) +
                                    "; allowed: 1 to 10000");
    }
}

}  // namespace

std::string_view job_state_name(job_state state) noexcept {
    switch (state) {
        case job_state::waiting:
            return "waiting";
        case job_state::running:
            return "running";
        case job_state::delayed:
            return "delayed";
        case job_state::dead:
            return "dead";
    }
    return "unknown";
}

queue_admin::queue_admin(detail::job_server server, std::string_view queue)
    : server_(server.of_queue(queue)), keys_(queue), scripts_(server_) {}

task<queue_counts> queue_admin::counts() {
    queue_counts now;
    std::uint64_t entries = 0;
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
        now.lanes[lane] =
            value_of(co_await server_.command<std::uint64_t>(idempotent, "XLEN", keys_.lane(lane)));
        entries += now.lanes[lane];
        const std::optional<resp::reply> held =
            value_unless_missing(co_await server_.command<resp::reply>(
                idempotent, "XPENDING", keys_.lane(lane), job_group));
        if (!held || held->view().size() != 4) {
            continue;
        }
        for (const resp::reply_view each : held->view()[3]) {
            (each[0].text().starts_with("~v") ? now.set_aside : now.running) += number_of(each[1]);
        }
    }
    now.waiting = entries - std::min(entries, now.running + now.set_aside);
    now.delayed =
        value_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.delayed()));
    now.dead = value_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.dead()));
    now.workers =
        value_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.leases()));
    const resp::reply meta = value_of(co_await server_.command<resp::reply>(
        idempotent, "HMGET", keys_.meta(), "done", "failed", "dead", "paused"));
    now.done = number_of(meta.view()[0]);
    now.failed = number_of(meta.view()[1]);
    now.buried = number_of(meta.view()[2]);
    now.is_paused = meta.view()[3].text() == "1";
    co_return now;
}

task<std::vector<job_description>> queue_admin::list(job_state state, std::size_t limit) {
    check_limit(limit);
    if (state == job_state::delayed || state == job_state::dead) {
        return list_sorted(state, limit);
    }
    return list_lanes(state == job_state::running, limit);
}

task<std::vector<job_description>> queue_admin::list_lanes(bool running, std::size_t limit) {
    std::vector<job_description> found;
    for (std::size_t lane = 0; lane < lane_count && found.size() < limit; ++lane) {
        co_await list_lane(&found, lane, running, limit);
    }
    co_return found;
}

task<> queue_admin::list_lane(std::vector<job_description>* out, std::size_t lane, bool running,
                              std::size_t limit) {
    // Who holds what; as many as might stand before the last job that is asked for.
    struct holder {
        std::string worker;
        std::uint64_t deliveries;
    };
    std::map<std::string, holder, std::less<>> held;
    const std::optional<resp::reply> pending =
        value_unless_missing(co_await server_.command<resp::reply>(
            idempotent, "XPENDING", keys_.lane(lane), job_group, "-", "+", 10'000));
    if (pending) {
        for (const resp::reply_view each : pending->view()) {
            held[std::string(each[0].text())] = {std::string(each[1].text()), number_of(each[3])};
        }
    }
    std::string from = "-";
    while (out->size() < limit) {
        const resp::reply page = value_of(co_await server_.command<resp::reply>(
            idempotent, "XRANGE", keys_.lane(lane), from, "+", "COUNT", 500));
        for (const resp::reply_view entry : page.view()) {
            from = "(" + std::string(entry[0].text());
            const auto holds = held.find(entry[0].text());
            if ((holds != held.end()) != running || out->size() == limit) {
                continue;
            }
            job_description job;
            job.state = running ? job_state::running : job_state::waiting;
            describe_entry(job, lane, entry);
            if (running) {
                job.worker = holds->second.worker;
                job.deliveries = holds->second.deliveries;
            }
            out->push_back(std::move(job));
        }
        if (page.view().size() < 500) {
            co_return;
        }
    }
}

task<std::vector<job_description>> queue_admin::list_sorted(job_state state, std::size_t limit) {
    const bool dead = state == job_state::dead;
    const resp::reply ids = value_of(
        co_await server_.command<resp::reply>(idempotent, dead ? "ZREVRANGE" : "ZRANGE",
                                              dead ? keys_.dead() : keys_.delayed(), 0, limit - 1));
    std::vector<job_description> found;
    for (const resp::reply_view id : ids.view()) {
        std::optional<job_description> job = co_await show(std::string(id.text()));
        if (job) {
            found.push_back(std::move(*job));
        }
    }
    co_return found;
}

task<std::optional<job_description>> queue_admin::show(std::string id) {
    const auto filed = value_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.filed(), id));
    if (filed && filed->size() > 2 && filed->front() == '@') {
        const auto lane = static_cast<std::size_t>((*filed)[1] - '0');
        co_return co_await show_entry(id, lane % lane_count, filed->substr(2));
    }
    const auto dead = value_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.dead_jobs(), id));
    if (filed || dead) {
        job_description job;
        job.id = id;
        job.state = dead ? job_state::dead : job_state::delayed;
        job.lane = dead || filed->empty() ? -1 : filed->front() - '0';
        const resp::reply score = value_of(co_await server_.command<resp::reply>(
            idempotent, "ZSCORE", dead ? keys_.dead() : keys_.delayed(), id));
        job.time_ms = number_of(score.view());
        describe(job, dead ? std::string_view(*dead) : std::string_view(*filed).substr(1));
        co_return job;
    }
    const std::optional<job_id_parts> parts = parse_job_id(id);
    if (!parts || parts->kind == 'd') {
        co_return std::nullopt;
    }
    const std::string entry = id.substr(0, id.find('.'));
    co_return co_await show_entry(id, static_cast<std::size_t>(parts->kind - '0'), entry);
}

task<std::optional<job_description>> queue_admin::show_entry(std::string id, std::size_t lane,
                                                             std::string entry) {
    const resp::reply found = value_of(co_await server_.command<resp::reply>(
        idempotent, "XRANGE", keys_.lane(lane), entry, entry));
    if (found.view().empty()) {
        co_return std::nullopt;
    }
    job_description job;
    describe_entry(job, lane, found.view()[0]);
    job.id = id;
    const std::optional<resp::reply> held =
        value_unless_missing(co_await server_.command<resp::reply>(
            idempotent, "XPENDING", keys_.lane(lane), job_group, entry, entry, 1));
    if (held && !held->view().empty()) {
        const resp::reply_view holder = held->view()[0];
        job.state = job_state::running;
        job.worker = holder[1].text();
        job.deliveries = number_of(holder[3]);
    }
    co_return job;
}

task<bool> queue_admin::retry(std::string id) {
    const auto bytes = value_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.dead_jobs(), id));
    if (!bytes) {
        co_return false;
    }
    std::string fresh = *bytes;
    if (const result<envelope> read = read_envelope(*bytes)) {
        envelope again = *read;
        again.attempts = 0;
        again.expires_ms = 0;  // it is asked for now
        fresh.clear();
        write_envelope(fresh, again);
    }
    const std::optional<job_id_parts> parts = parse_job_id(id);
    const char lane = parts && parts->kind != 'd' ? parts->kind : '1';
    detail::script_runner::words keys;
    keys.push_back(keys_.dead());
    keys.push_back(keys_.dead_jobs());
    keys.push_back(keys_.filed());
    keys.push_back(keys_.lane(static_cast<std::size_t>(lane - '0')));
    detail::script_runner::words arguments;
    arguments.push_back(id);
    arguments.emplace_back(1, lane);
    arguments.push_back(fresh);
    const resp::reply answer =
        value_of(co_await scripts_.run(scripts::revive, std::move(keys), std::move(arguments)));
    co_return answer.view().integer() == 1;
}

task<std::size_t> queue_admin::retry_all() {
    const auto most =  // workers may bury again what is revived here
        value_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.dead()));
    for (std::size_t count = 0;;) {
        const resp::reply ids = value_of(
            co_await server_.command<resp::reply>(idempotent, "ZRANGE", keys_.dead(), 0, 499));
        const std::size_t before = count;
        for (const resp::reply_view id : ids.view()) {
            const bool again = co_await retry(std::string(id.text()));
            count += again ? 1 : 0;
        }
        if (count == before || count >= most) {
            co_return count;
        }
    }
}

task<cancel_outcome> queue_admin::kill(std::string id) {
    const std::size_t removed =
        value_of(co_await server_.command<std::size_t>(idempotent, "HDEL", keys_.dead_jobs(), id));
    if (removed != 0) {
        value_of(co_await server_.command<void>(idempotent, "ZREM", keys_.dead(), id));
        co_return cancel_outcome::canceled;
    }
    queue canceler(server_, keys_.queue());
    co_return co_await canceler.cancel(id);
}

task<> queue_admin::pause() {
    value_of(co_await server_.command<void>(idempotent, "HSET", keys_.meta(), "paused", 1));
}

task<> queue_admin::resume() {
    value_of(co_await server_.command<void>(idempotent, "HDEL", keys_.meta(), "paused"));
}

task<std::size_t> queue_admin::purge(purge_what what) {
    std::size_t count = 0;
    if (what != purge_what::dead) {
        for (const std::string& lane : keys_.lanes()) {
            count += value_of(
                co_await server_.command<std::size_t>(idempotent, "XTRIM", lane, "MAXLEN", 0));
        }
        count +=
            value_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.delayed()));
        value_of(
            co_await server_.command<void>(idempotent, "UNLINK", keys_.delayed(), keys_.filed()));
    }
    if (what != purge_what::waiting) {
        count += value_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.dead()));
        value_of(
            co_await server_.command<void>(idempotent, "UNLINK", keys_.dead(), keys_.dead_jobs()));
    }
    co_return count;
}

task<std::vector<worker_description>> queue_admin::workers() {
    const resp::reply time = value_of(co_await server_.command<resp::reply>(idempotent, "TIME"));
    const auto now = static_cast<std::int64_t>(number_of(time.view()[0].text()) * 1000 +
                                               number_of(time.view()[1].text()) / 1000);
    const auto leases = value_of(co_await server_.command<std::vector<std::string>>(
        idempotent, "ZRANGE", keys_.leases(), 0, -1));
    std::map<std::string, worker_description, std::less<>> found;
    for (const std::string& name : leases) {
        worker_description& one = found[name];
        one.name = name;
        const resp::reply until = value_of(
            co_await server_.command<resp::reply>(idempotent, "ZSCORE", keys_.leases(), name));
        one.lease_ms = static_cast<std::int64_t>(number_of(until.view())) - now;
        const auto info = value_of(co_await server_.command<std::optional<std::string>>(
            idempotent, "HGET", keys_.workers(), name));
        one.info = info.value_or("");
    }
    for (const std::string& lane : keys_.lanes()) {
        const std::optional<resp::reply> held = value_unless_missing(
            co_await server_.command<resp::reply>(idempotent, "XPENDING", lane, job_group));
        if (!held || held->view().size() != 4) {
            continue;
        }
        for (const resp::reply_view each : held->view()[3]) {
            const auto known = found.find(each[0].text());
            if (known != found.end()) {
                known->second.running += number_of(each[1]);
            }
        }
    }
    std::vector<worker_description> list;
    for (auto& [name, one] : found) {
        list.push_back(std::move(one));
    }
    co_return list;
}

}  // namespace weir::redisq
