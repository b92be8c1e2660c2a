// How queue_admin removes jobs: some hundreds at a time, each step by a script that leaves what a
// worker holds alone, and gives back what the job had taken: its unique key, and who waits for its
// result.
#include <algorithm>

#include "admin.hpp"
#include "detail/answer.hpp"

namespace weir::redisq {

using detail::answer_of;

namespace {

constexpr std::size_t step = 200;

// Keys and arguments of one step.
struct discarded {
    detail::script_runner::words keys;
    detail::script_runner::words arguments;

    discarded(const queue_keys& names, std::size_t lane, bool also_set_aside) {
        keys.push_back(names.lane(lane));
        keys.push_back(names.filed());
        keys.push_back(names.delayed());
        arguments.emplace_back(job_group);
        arguments.emplace_back(also_set_aside ? "1" : "0");
    }

    void add(const queue_keys& names, std::string_view entry, std::string_view id,
             std::string_view bytes) {
        const result<envelope> job = read_envelope(bytes);
        const envelope head = job ? *job : envelope();
        keys.push_back(names.result(id));
        keys.push_back(names.unique(head.unique_key));
        arguments.emplace_back(entry);
        arguments.emplace_back(id);
        arguments.push_back(std::to_string(head.result_ms));
        arguments.emplace_back(head.unique_key.empty() ? "0" : "1");
        arguments.push_back(head.reply_to.empty() ? std::string() : names.channel(head.reply_to));
    }
};

}  // namespace

task<std::size_t> queue_admin::purge(purge_what what) {
    std::size_t count = 0;
    if (what != purge_what::dead) {
        // In this order: what becomes due meanwhile is found in its lane.
        count += co_await purge_delayed();
        for (std::size_t lane = 0; lane < lane_count; ++lane) {
            count += co_await purge_lane(lane, what == purge_what::everything);
        }
    }
    if (what != purge_what::waiting) {
        count += co_await purge_dead();
    }
    co_return count;
}

// As many as there are now, so that it ends while others are added.
task<std::size_t> queue_admin::purge_delayed() {
    auto left =
        answer_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.delayed()));
    std::size_t count = 0;
    while (left != 0) {
        const auto ids = answer_of(co_await server_.command<std::vector<std::string>>(
            idempotent, "ZRANGE", keys_.delayed(), 0, std::min(step, left) - 1));
        if (ids.empty()) {
            break;
        }
        left -= std::min(left, ids.size());
        const resp::reply records = answer_of(
            co_await server_.command<resp::reply>(idempotent, "HMGET", keys_.filed(), ids));
        discarded jobs(keys_, 0, false);
        auto at = records.view().begin();
        for (const std::string& id : ids) {
            std::string_view record = (*at++).text();
            record.remove_prefix(std::min<std::size_t>(record.size(), 1));
            jobs.add(keys_, "", id, record);
        }
        const resp::reply gone = answer_of(co_await scripts_.run(
            scripts::discard, std::move(jobs.keys), std::move(jobs.arguments), idempotent));
        count += static_cast<std::size_t>(gone.view().integer());
    }
    co_return count;
}

// Up to what is the last entry now.
task<std::size_t> queue_admin::purge_lane(std::size_t lane, bool also_set_aside) {
    const resp::reply newest = answer_of(co_await server_.command<resp::reply>(
        idempotent, "XREVRANGE", keys_.lane(lane), "+", "-", "COUNT", 1));
    if (newest.view().empty()) {
        co_return 0;
    }
    const std::string last(newest.view()[0][0].text());
    std::string from = "-";
    std::size_t count = 0;
    for (;;) {
        const resp::reply page = answer_of(co_await server_.command<resp::reply>(
            idempotent, "XRANGE", keys_.lane(lane), from, last, "COUNT", step));
        if (page.view().empty()) {
            co_return count;
        }
        discarded jobs(keys_, lane, also_set_aside);
        for (const resp::reply_view entry : page.view()) {
            std::string id = first_job_id(entry[0].text(), lane);
            std::string_view bytes;
            const resp::reply_view fields = entry[1];
            for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
                if (fields[i].text() == job_field) {
                    bytes = fields[i + 1].text();
                } else if (fields[i].text() == job_id_field) {
                    id = fields[i + 1].text();
                }
            }
            jobs.add(keys_, entry[0].text(), id, bytes);
            from = "(" + std::string(entry[0].text());
        }
        const resp::reply gone = answer_of(co_await scripts_.run(
            scripts::discard, std::move(jobs.keys), std::move(jobs.arguments), idempotent));
        count += static_cast<std::size_t>(gone.view().integer());
    }
}

task<std::size_t> queue_admin::purge_dead() {
    auto left = answer_of(co_await server_.command<std::size_t>(idempotent, "ZCARD", keys_.dead()));
    std::size_t count = 0;
    while (left != 0) {
        const auto ids = answer_of(co_await server_.command<std::vector<std::string>>(
            idempotent, "ZRANGE", keys_.dead(), 0, std::min(step, left) - 1));
        if (ids.empty()) {
            break;
        }
        left -= std::min(left, ids.size());
        // In this order: what has no envelope any more is found by its id once more.
        answer_of(co_await server_.command<void>(idempotent, "HDEL", keys_.dead_jobs(), ids));
        count +=
            answer_of(co_await server_.command<std::size_t>(idempotent, "ZREM", keys_.dead(), ids));
    }
    co_return count;
}

}  // namespace weir::redisq
