#include "commands.hpp"

#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/detail/job_link.hpp>
#include <weir/redisq/jobs/queue.hpp>

#include "print.hpp"

namespace weirq {
namespace {

namespace redisq = weir::redisq;

// A payload whose bytes are given as they go to the worker.
template <redisq::payload_format Format>
struct ready_payload {
    static constexpr redisq::payload_format format = Format;

    static void encode(std::string& out, const std::string& bytes) { out += bytes; }
    template <class T>
    static T decode(std::string_view bytes) {
        return T(bytes);
    }
};

int no_such_job(const settings& chosen, const char* what) {
    std::fprintf(stderr, "weirq: queue '%s' has no %s '%s'\n", chosen.queue.c_str(), what,
                 printable(chosen.id).c_str());
    return 1;
}

// One sentence, or as JSON {KEY: value}.
template <class T>
int say(const settings& chosen, const char* key, const T& value, const std::string& sentence) {
    if (chosen.as_json) {
        print_json({{"queue", chosen.queue}, {key, value}});
    } else {
        std::printf("%s\n", sentence.c_str());
    }
    return 0;
}

weir::task<int> stats(job_server server, settings chosen) {
    std::vector<std::string> names = {chosen.queue};
    if (chosen.all) {
        names = co_await redisq::queue_admin::queues(server);
    }
    json all = json::array();
    for (const std::string& name : names) {
        redisq::queue_admin admin(server, name);
        const redisq::queue_counts now = co_await admin.counts();
        if (chosen.as_json) {
            all.push_back(counts_json(name, now));
        } else {
            print_counts(name, now);
        }
    }
    if (chosen.as_json) {
        print_json(chosen.all ? all : all[0]);
    }
    co_return 0;
}

weir::task<int> list(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    const std::vector<redisq::job_description> jobs =
        co_await admin.list(chosen.state, chosen.limit);
    if (!chosen.as_json) {
        print_jobs(jobs);
        co_return 0;
    }
    json all = json::array();
    for (const redisq::job_description& job : jobs) {
        all.push_back(job_json(job, false));
    }
    print_json(all);
    co_return 0;
}

weir::task<int> show(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    const std::optional<redisq::job_description> job = co_await admin.show(chosen.id);
    if (!job) {
        co_return no_such_job(chosen, "job");
    }
    if (chosen.as_json) {
        print_json(job_json(*job, true));
    } else {
        print_job(*job);
    }
    co_return 0;
}

template <redisq::payload_format Format>
weir::task<int> enqueue_as(job_server server, settings chosen) {
    using kind = redisq::job_type<std::string, void, ready_payload<Format>>;
    const kind type(chosen.type);
    redisq::submit_options options;
    options.lane(chosen.lane).delay(chosen.delay);
    if (chosen.timeout != weir::duration::zero()) {
        options.timeout(chosen.timeout);
    }
    if (!chosen.unique.empty()) {
        options.unique(chosen.unique);
    }
    redisq::queue queue(server, chosen.queue);
    const redisq::job_handle<kind> job = co_await queue.submit(options, type, chosen.payload);
    if (chosen.as_json) {
        print_json({{"queue", chosen.queue}, {"id", job.id()}, {"duplicate", job.is_duplicate()}});
    } else {
        std::printf("%s%s\n", job.id().c_str(), job.is_duplicate() ? " holds this key" : "");
    }
    co_return 0;
}

weir::task<int> enqueue(job_server server, settings chosen) {
    return chosen.format == redisq::payload_format::json
               ? enqueue_as<redisq::payload_format::json>(std::move(server), std::move(chosen))
               : enqueue_as<redisq::payload_format::raw>(std::move(server), std::move(chosen));
}

weir::task<int> retry(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    std::size_t count = 0;
    if (chosen.all) {
        count = co_await admin.retry_all();
    } else {
        const bool found = co_await admin.retry(chosen.id);
        if (!found) {
            co_return no_such_job(chosen, "dead job");
        }
        count = 1;
    }
    co_return say(chosen, "retried", count, std::to_string(count) + " queued again");
}

weir::task<int> kill(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    const redisq::cancel_outcome outcome = co_await admin.kill(chosen.id);
    switch (outcome) {
        case redisq::cancel_outcome::canceled:
            co_return say(chosen, "outcome", "removed", "removed");
        case redisq::cancel_outcome::asked:
            co_return say(chosen, "outcome", "asked", "it runs; its worker asks it to stop");
        case redisq::cancel_outcome::unknown:
            break;
    }
    co_return no_such_job(chosen, "job");
}

weir::task<int> pause(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    co_await admin.pause();
    co_return say(chosen, "paused", true, "paused; what runs goes on");
}

weir::task<int> resume(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    co_await admin.resume();
    co_return say(chosen, "paused", false, "resumed");
}

// Asks on stderr, so that stdout holds the result only.
bool confirms(const settings& chosen, const redisq::queue_counts& now) {
    const bool waiting = chosen.what != redisq::purge_what::dead;
    const bool dead = chosen.what != redisq::purge_what::waiting;
    std::fprintf(stderr, "Queue '%s' of %s: remove", chosen.queue.c_str(),
                 chosen.server.server.to_string().c_str());
    if (waiting) {
        std::fprintf(stderr, " %llu waiting and %llu delayed",
                     static_cast<unsigned long long>(now.waiting),
                     static_cast<unsigned long long>(now.delayed));
    }
    if (dead) {
        std::fprintf(stderr, "%s %llu dead", waiting ? " and" : "",
                     static_cast<unsigned long long>(now.dead));
    }
    std::fprintf(stderr, " jobs for good? [y/N] ");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

weir::task<int> purge(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    if (!chosen.is_confirmed) {
        const redisq::queue_counts now = co_await admin.counts();
        if (!confirms(chosen, now)) {
            std::fprintf(stderr, "weirq: nothing was removed\n");
            co_return 1;
        }
    }
    const std::size_t count = co_await admin.purge(chosen.what);
    co_return say(chosen, "removed", count, std::to_string(count) + " removed");
}

weir::task<int> workers(job_server server, settings chosen) {
    redisq::queue_admin admin(server, chosen.queue);
    const std::vector<redisq::worker_description> all = co_await admin.workers();
    json list = json::array();
    std::vector<std::vector<std::string>> rows = {{"NAME", "RUNNING", "LEASE_MS", "INFO"}};
    for (const redisq::worker_description& one : all) {
        const json info = json::parse(one.info, nullptr, false);
        list.push_back({{"name", one.name},
                        {"running", one.running},
                        {"lease_left_ms", one.lease_ms},
                        {"info", info.is_discarded() ? json(nullptr) : info}});
        rows.push_back({printable(one.name), std::to_string(one.running),
                        std::to_string(one.lease_ms), printable(one.info)});
    }
    if (chosen.as_json) {
        print_json(list);
    } else {
        print_table(rows);
    }
    co_return 0;
}

using command = weir::task<int> (*)(job_server, settings);

const std::map<std::string, command>& commands() {
    static const std::map<std::string, command> all = {
        {"stats", stats}, {"ls", list},         {"show", show},   {"enqueue", enqueue},
        {"retry", retry}, {"kill", kill},       {"pause", pause}, {"resume", resume},
        {"purge", purge}, {"workers", workers}, {"top", top},     {"bench", bench}};
    return all;
}

}  // namespace

weir::task<int> run_command(settings chosen) {
    redisq::detail::job_link link(chosen.server, chosen.is_cluster);
    redisq::value_or_throw(co_await link.connect());
    const command act = commands().at(chosen.command);
    const int status = co_await act(link.server(), std::move(chosen));
    co_await link.close();
    co_return status;
}

}  // namespace weirq
