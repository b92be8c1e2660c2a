// How queue_admin looks at jobs: page by page, so that neither it nor Redis holds much of a queue
// of any length.
#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>

#include "admin.hpp"
#include "detail/admin_numbers.hpp"
#include "detail/answer.hpp"

namespace weir::redisq {

using detail::answer_of;
using detail::answer_unless_missing;
using detail::number_of;

namespace {

constexpr std::size_t page_max = 500;

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

// What was handed back, or set aside, is nobody's.
bool is_worker(std::string_view holder) { return !holder.starts_with('~'); }

void describe_holder(job_description& out, std::string_view holder, std::uint64_t deliveries) {
    if (is_worker(holder)) {
        out.state = job_state::running;
        out.worker = holder;
        out.deliveries = deliveries;
    }
}

// "1-2" and the number behind it, of either protocol: pairs, or one after the other.
template <class Visit>
void for_each_scored(const resp::reply_view& answer, Visit&& visit) {
    for (auto at = answer.begin(); at != answer.end();) {
        const resp::reply_view first = *at++;
        if (first.size() == 2) {
            visit(first[0].text(), number_of(first[1]));
        } else if (at != answer.end()) {
            visit(first.text(), number_of(*at++));
        }
    }
}

}  // namespace

task<std::vector<job_description>> queue_admin::list(job_state state, std::size_t limit) {
    check_limit(limit);
    if (state == job_state::delayed || state == job_state::dead) {
        co_return co_await list_sorted(state, limit);
    }
    std::vector<job_description> found;
    for (std::size_t lane = 0; lane < lane_count && found.size() < limit; ++lane) {
        if (state == job_state::running) {
            co_await list_running(&found, lane, limit);
        } else {
            co_await list_waiting(&found, lane, limit);
        }
    }
    co_return found;
}

// At most page_max of the claimed entries between two.
task<queue_admin::held_entries> queue_admin::claimed(std::size_t lane, std::string from,
                                                     std::string to) {
    held_entries held;
    const std::optional<resp::reply> pending =
        answer_unless_missing(co_await server_.command<resp::reply>(
            idempotent, "XPENDING", keys_.lane(lane), job_group, from, to, page_max));
    if (pending) {
        for (const resp::reply_view each : pending->view()) {
            held.push_back(
                {std::string(each[0].text()), std::string(each[1].text()), number_of(each[3])});
        }
    }
    co_return held;
}

// Workers claim in order, so between two entries that are claimed stand few that are not.
task<> queue_admin::list_running(std::vector<job_description>* out, std::size_t lane,
                                 std::size_t limit) {
    std::string from = "-";
    while (out->size() < limit) {
        const held_entries held = co_await claimed(lane, from, "+");
        if (held.empty()) {
            co_return;
        }
        std::string next = held.front().entry;
        while (!next.empty() && out->size() < limit) {
            const resp::reply page = answer_of(
                co_await server_.command<resp::reply>(idempotent, "XRANGE", keys_.lane(lane), next,
                                                      held.back().entry, "COUNT", page_max));
            next.clear();
            for (const resp::reply_view entry : page.view()) {
                const auto holds = std::ranges::find(held, entry[0].text(), &held_entry::entry);
                if (holds != held.end() && is_worker(holds->holder) && out->size() < limit) {
                    job_description job;
                    describe_entry(job, lane, entry);
                    describe_holder(job, holds->holder, holds->deliveries);
                    out->push_back(std::move(job));
                }
                next = "(" + std::string(entry[0].text());
            }
            if (page.view().size() < page_max) {
                next.clear();
            }
        }
        from = "(" + held.back().entry;
    }
}

task<> queue_admin::list_waiting(std::vector<job_description>* out, std::size_t lane,
                                 std::size_t limit) {
    std::string from = "-";
    while (out->size() < limit) {
        const resp::reply page = answer_of(co_await server_.command<resp::reply>(
            idempotent, "XRANGE", keys_.lane(lane), from, "+", "COUNT", page_max));
        const resp::reply_view entries = page.view();
        if (entries.empty()) {
            co_return;
        }
        std::map<std::string, std::string, std::less<>> holders;
        const std::string last(entries[entries.size() - 1][0].text());
        std::string next(entries[0][0].text());
        while (!next.empty()) {
            const held_entries held = co_await claimed(lane, next, last);
            for (const held_entry& each : held) {
                holders[each.entry] = each.holder;
            }
            next = held.size() < page_max ? std::string() : "(" + held.back().entry;
        }
        for (const resp::reply_view entry : entries) {
            const auto holds = holders.find(entry[0].text());
            if ((holds == holders.end() || !is_worker(holds->second)) && out->size() < limit) {
                job_description job;
                describe_entry(job, lane, entry);
                out->push_back(std::move(job));
            }
        }
        if (entries.size() < page_max) {
            co_return;
        }
        from = "(" + last;
    }
}

task<std::vector<job_description>> queue_admin::list_sorted(job_state state, std::size_t limit) {
    const bool dead = state == job_state::dead;
    const resp::reply order = answer_of(co_await server_.command<resp::reply>(
        idempotent, dead ? "ZREVRANGE" : "ZRANGE", dead ? keys_.dead() : keys_.delayed(), 0,
        limit - 1, "WITHSCORES"));
    std::vector<job_description> found;
    for_each_scored(order.view(), [&](std::string_view id, std::uint64_t time_ms) {
        job_description& job = found.emplace_back();
        job.id = id;
        job.state = state;
        job.time_ms = time_ms;
    });
    std::vector<bool> is_there(found.size());
    for (std::size_t begin = 0; begin < found.size(); begin += page_max) {
        const std::size_t end = std::min(found.size(), begin + page_max);
        std::vector<std::string> ids;
        for (std::size_t i = begin; i < end; ++i) {
            ids.push_back(found[i].id);
        }
        const resp::reply records = answer_of(co_await server_.command<resp::reply>(
            idempotent, "HMGET", dead ? keys_.dead_jobs() : keys_.filed(), ids));
        auto at = records.view().begin();
        for (std::size_t i = begin; i < end; ++i) {
            const resp::reply_view record = *at++;
            is_there[i] = describe_record(found[i], record.text(), !record.is_null());
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (is_there[i]) {
            std::swap(found[kept++], found[i]);
        }
    }
    found.resize(kept);
    co_return found;
}

// A job that is dead or delayed. False: it is neither any more.
bool queue_admin::describe_record(job_description& job, std::string_view record, bool exists) {
    if (!exists || (job.state == job_state::delayed && record.starts_with('@'))) {
        return false;
    }
    if (job.state == job_state::delayed) {
        job.lane = record.empty() ? -1 : record.front() - '0';
        record.remove_prefix(std::min<std::size_t>(record.size(), 1));
    }
    describe(job, record);
    return true;
}

task<std::optional<job_description>> queue_admin::show(std::string id) {
    const auto filed = answer_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.filed(), id));
    if (filed && filed->size() > 2 && filed->front() == '@') {
        const auto lane = static_cast<std::size_t>((*filed)[1] - '0');
        co_return co_await show_entry(id, lane % lane_count, filed->substr(2));
    }
    const auto dead = answer_of(co_await server_.command<std::optional<std::string>>(
        idempotent, "HGET", keys_.dead_jobs(), id));
    if (filed || dead) {
        job_description job;
        job.id = id;
        job.state = dead ? job_state::dead : job_state::delayed;
        const resp::reply score = answer_of(co_await server_.command<resp::reply>(
            idempotent, "ZSCORE", dead ? keys_.dead() : keys_.delayed(), id));
        job.time_ms = number_of(score.view());
        if (describe_record(job, dead ? *dead : *filed, true)) {
            co_return job;
        }
        co_return std::nullopt;
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
    const resp::reply found = answer_of(co_await server_.command<resp::reply>(
        idempotent, "XRANGE", keys_.lane(lane), entry, entry));
    if (found.view().empty()) {
        co_return std::nullopt;
    }
    job_description job;
    describe_entry(job, lane, found.view()[0]);
    job.id = id;
    const held_entries held = co_await claimed(lane, entry, entry);
    if (!held.empty()) {
        describe_holder(job, held.front().holder, held.front().deliveries);
    }
    co_return job;
}

}  // namespace weir::redisq
