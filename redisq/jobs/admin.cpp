#include "admin.hpp"

#include <algorithm>
#include <map>

#include "../resp/reply.hpp"
#include "detail/admin_numbers.hpp"
#include "detail/answer.hpp"
#include "queue.hpp"

namespace weir::redisq {

using detail::answer_of;
using detail::answer_unless_missing;
using detail::number_of;

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
        now.lanes[lane] = answer_of(
            co_await server_.command<std::uint64_t>(idempotent, "XLEN", keys_.lane(lane)));
        entries += now.lanes[lane];
        const std::optional<resp::reply> held =
            answer_unless_missing(co_await server_.command<resp::reply>(
                idempotent, "XPENDING", keys_.lane(lane), job_group));
        if (!held || held->view().size() != 4) {
            continue;
        }
        for (const resp::reply_view each : held->view()[3]) {
            const std::string_view holder = each[0].text();
            if (holder.starts_with("~v")) {
                now.set_aside += number_of(each[1]);
            } else if (holder != "~back") {
                now.running += number_of(each[1]);
            }
        }
    }
    now.waiting = entries - std::min(entries, now.running + now.set_aside);
    now.delayed =
        answer_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.delayed()));
    now.dead =
        answer_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.dead()));
    now.workers =
        answer_of(co_await server_.command<std::uint64_t>(idempotent, "ZCARD", keys_.leases()));
    const resp::reply meta = answer_of(co_await server_.command<resp::reply>(
        idempotent, "HMGET", keys_.meta(), "done", "failed", "dead", "paused"));
    now.done = number_of(meta.view()[0]);
    now.failed = number_of(meta.view()[1]);
    now.buried = number_of(meta.view()[2]);
    now.is_paused = meta.view()[3].text() == "1";
    co_return now;
}

task<bool> queue_admin::retry(std::string id) {
    const auto bytes = answer_of(co_await server_.command<std::optional<std::string>>(
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
    keys.push_back(keys_.result(id));
    detail::script_runner::words arguments;
    arguments.push_back(id);
    arguments.emplace_back(1, lane);
    arguments.push_back(fresh);
    const resp::reply answer =
        answer_of(co_await scripts_.run(scripts::revive, std::move(keys), std::move(arguments)));
    co_return answer.view().integer() == 1;
}

task<std::size_t> queue_admin::retry_all() {
    // Workers may bury again what is revived here: no more than there are now.
    auto left = answer_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.dead()));
    std::size_t count = 0;
    std::size_t passed = 0;  // that stay, at the front
    while (left != 0) {
        const auto ids = answer_of(co_await server_.command<std::vector<std::string>>(
            idempotent, "ZRANGE", keys_.dead(), passed,
            passed + std::min<std::size_t>(left, 500) - 1));
        if (ids.empty()) {
            break;
        }
        left -= ids.size();
        for (const std::string& id : ids) {
            const bool again = co_await retry(id);
            (again ? count : passed) += 1;
        }
    }
    co_return count;
}

task<cancel_outcome> queue_admin::kill(std::string id) {
    // Each command may be repeated after a lost connection; then the other one tells.
    const auto dead =
        answer_of(co_await server_.command<std::size_t>(idempotent, "ZREM", keys_.dead(), id));
    const auto kept =
        answer_of(co_await server_.command<std::size_t>(idempotent, "HDEL", keys_.dead_jobs(), id));
    if (dead + kept != 0) {
        co_return cancel_outcome::canceled;
    }
    queue canceler(server_, keys_.queue());
    co_return co_await canceler.cancel(id);
}

task<> queue_admin::pause() {
    answer_of(co_await server_.command<void>(idempotent, "HSET", keys_.meta(), "paused", 1));
}

task<> queue_admin::resume() {
    answer_of(co_await server_.command<void>(idempotent, "HDEL", keys_.meta(), "paused"));
}

task<std::vector<worker_description>> queue_admin::workers() {
    const resp::reply time = answer_of(co_await server_.command<resp::reply>(idempotent, "TIME"));
    const auto now = static_cast<std::int64_t>(number_of(time.view()[0].text()) * 1000 +
                                               number_of(time.view()[1].text()) / 1000);
    const auto leases = answer_of(co_await server_.command<std::vector<std::string>>(
        idempotent, "ZRANGE", keys_.leases(), 0, -1));
    std::map<std::string, worker_description, std::less<>> found;
    for (const std::string& name : leases) {
        worker_description& one = found[name];
        one.name = name;
        const resp::reply until = answer_of(
            co_await server_.command<resp::reply>(idempotent, "ZSCORE", keys_.leases(), name));
        one.lease_ms = static_cast<std::int64_t>(number_of(until.view())) - now;
        const auto info = answer_of(co_await server_.command<std::optional<std::string>>(
            idempotent, "HGET", keys_.workers(), name));
        one.info = info.value_or("");
    }
    for (const std::string& lane : keys_.lanes()) {
        const std::optional<resp::reply> held = answer_unless_missing(
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
