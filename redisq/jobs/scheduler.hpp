// job_scheduler: enqueues jobs by the clock, and moves delayed ones to their queue when they are
// due.
//
//     weir::redisq::job_scheduler s(redis, "reports");
//     const weir::redisq::cron_schedule nightly("30 2 * * *", "Europe/Berlin");
//     s.add("nightly report", nightly, report_job, "2026");
//     co_await s.run();   // until it is stopped
//
// Any number of schedulers may run: each tick is enqueued once, by whoever comes first, which the
// server decides. Times are the server's. Ticks that passed while none ran are treated as catch_up
// says. Workers move delayed jobs as well, so a scheduler is needed for schedules only.
//
// Errors: std::invalid_argument for bad options, a name of a schedule that is empty, has more than
// 128 bytes or stands twice; run() throws weir::canceled when it is stopped. While the server does
// not answer, it tries again after pauses that grow (scheduler_options::retry_longest); no tick is
// lost, see catch_up. A schedule that the server refuses, since its lane's key holds something
// else, say, is tried again at each look, and the others go on. Both are reported once
// (scheduler_options::on_report) and stand in stats().
// Lifetime: not longer than its client. Thread: the loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../client.hpp"
#include "cron.hpp"
#include "detail/job_server.hpp"
#include "detail/random.hpp"
#include "detail/script_runner.hpp"
#include "job_type.hpp"
#include "keys.hpp"
#include "options.hpp"

namespace weir::redisq {

struct scheduler_stats {
    std::uint64_t enqueued = 0;  // ticks
    std::uint64_t moved = 0;     // delayed jobs that were due
    std::uint64_t failures = 0;  // looks that the server did not answer, or refused as a whole
    std::size_t refused = 0;     // schedules that the server refuses now
    bool is_cut_off = false;     // the last look was such a failure
    std::string last_error;      // of whatever kind; empty: none yet
};

class job_scheduler {
  public:
    // `server`: a client or a cluster_client. Throws std::invalid_argument.
    explicit job_scheduler(detail::job_server server, std::string_view queue = "default",
                           scheduler_options options = {});
    job_scheduler(const job_scheduler&) = delete;
    job_scheduler& operator=(const job_scheduler&) = delete;
    ~job_scheduler() = default;

    // A job of this type for each tick; the payload is made of the arguments as
    // Payload{arguments...}. Schedulers of the same queue know a schedule by its name.
    template <class P, class R, class C, class... A>
    job_scheduler& add(std::string_view name, cron_schedule when, const job_type<P, R, C>& type,
                       A&&... arguments) {
        std::string payload;
        type.encode(payload, std::forward<A>(arguments)...);
        envelope job;
        job.type = type.name();
        job.format = C::format;
        job.payload = payload;
        std::string bytes;
        write_envelope(bytes, job);
        add_envelope(name, std::move(when), std::move(bytes));
        return *this;
    }

    // What the schedule that was added last does with ticks that passed, and the lane of its jobs.
    job_scheduler& with(catch_up missed, int lane = lane_default);

    // Until the calling task is stopped.
    [[nodiscard]] task<> run();

    // One look at the clock: enqueues what is due, moves delayed jobs that are due. Yields how many
    // ticks it has enqueued. Throws redisq::exception where the server does not answer, or refuses
    // everything; a schedule that is refused alone is reported.
    [[nodiscard]] task<std::size_t> run_once();

    [[nodiscard]] const scheduler_stats& stats() const noexcept { return stats_; }

  private:
    struct entry {
        std::string name;
        cron_schedule when;
        std::string job;
        catch_up missed = catch_up::skip;
        int lane = lane_default;
        std::optional<std::int64_t> last;  // tick that is dealt with; unknown before the first look
        bool is_refused = false;
    };

    void add_envelope(std::string_view name, cron_schedule when, std::string job);
    void report(const std::string& text) const;
    task<std::int64_t> server_time();
    task<std::int64_t> promote();
    task<> begin(entry* which, std::int64_t now);
    task<std::size_t> serve(entry* which, std::int64_t now);
    task<std::size_t> enqueue_due(entry* which, std::int64_t now);
    task<bool> enqueue(const entry* which, std::int64_t tick);

    detail::job_server server_;
    queue_keys keys_;
    scheduler_options options_;
    detail::script_runner scripts_;
    detail::random_source random_;
    std::vector<entry> entries_;
    scheduler_stats stats_;
    bool cannot_move_ = false;  // delayed jobs, for what their keys hold
};

}  // namespace weir::redisq
