// queue_admin: looks at a queue and mends it; what the tool weirq is made of.
//
//     weir::redisq::queue_admin admin(redis, "images");
//     const weir::redisq::queue_counts now = co_await admin.counts();
//     const bool again = co_await admin.retry("1795380296359-0.1");
//
// Nothing here is needed for running jobs, and nothing here stops workers from doing so: what is
// read may have changed when it is seen.
//
// Errors: redisq::exception; weir::canceled. Lifetime: not longer than its client.
// Thread: the loop's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../client.hpp"
#include "detail/job_server.hpp"
#include "detail/script_runner.hpp"
#include "envelope.hpp"
#include "job_handle.hpp"
#include "keys.hpp"

namespace weir::redisq {

struct queue_counts {
    std::array<std::uint64_t, lane_count> lanes{};  // entries, running ones among them
    std::uint64_t waiting = 0;                      // also those that a worker has handed back
    std::uint64_t running = 0;                      // claimed by workers, living or not
    std::uint64_t set_aside = 0;                    // of later envelope versions
    std::uint64_t delayed = 0;
    std::uint64_t dead = 0;
    std::uint64_t workers = 0;  // with a lease
    std::uint64_t done = 0;     // since the queue was made
    std::uint64_t failed = 0;
    std::uint64_t buried = 0;
    bool is_paused = false;
};

enum class job_state : std::uint8_t { waiting, running, delayed, dead };

[[nodiscard]] std::string_view job_state_name(job_state state) noexcept;

struct job_description {
    std::string id;
    job_state state = job_state::waiting;
    int lane = -1;        // -1: dead
    std::string type;     // empty: the envelope cannot be read
    std::string problem;  // then, why
    payload_format format = payload_format::raw;
    std::string payload;
    std::uint32_t attempts = 0;    // that failed
    std::uint64_t deliveries = 0;  // running: how often it was claimed
    std::string worker;            // running
    std::uint64_t time_ms = 0;     // delayed: when it is due; dead: when it died
    std::string history;           // see envelope
};

struct worker_description {
    std::string name;
    std::string info;           // JSON: pid, concurrency, lease_ms
    std::int64_t lease_ms = 0;  // what is left of it; negative: it has run out
    std::uint64_t running = 0;
};

enum class purge_what : std::uint8_t { waiting, dead, everything };

class queue_admin {
  public:
    // `server`: a client or a cluster_client. Throws std::invalid_argument for a bad name.
    explicit queue_admin(detail::job_server server, std::string_view queue = "default");

    // Names of all queues of the server or the cluster, sorted; looks at every key, in steps.
    [[nodiscard]] static task<std::vector<std::string>> queues(detail::job_server server);

    [[nodiscard]] task<queue_counts> counts();

    // At most `limit` jobs (1 to 10,000) of this state: those that come first; of the dead, those
    // that died last. What is set aside is among those that wait, and has a `problem`.
    [[nodiscard]] task<std::vector<job_description>> list(job_state state, std::size_t limit = 50);

    // Nothing where there is no such job (any more).
    [[nodiscard]] task<std::optional<job_description>> show(std::string id);

    // A dead job is queued again, its attempts forgotten. False: no such job is dead.
    [[nodiscard]] task<bool> retry(std::string id);
    // All dead jobs; yields how many.
    [[nodiscard]] task<std::size_t> retry_all();

    // Cancels a job that waits or runs, or removes a dead one.
    [[nodiscard]] task<cancel_outcome> kill(std::string id);

    // Workers claim nothing until resume(); what runs goes on. Takes effect with their heartbeat.
    [[nodiscard]] task<> pause();
    [[nodiscard]] task<> resume();

    // Removes jobs for good: those that wait or are delayed, the dead, or both and what was set
    // aside; what a worker holds goes on. Their unique keys are free, and who waits for their
    // results is told that they were canceled. Goes on in steps, up to what there is when it
    // begins. Yields how many.
    [[nodiscard]] task<std::size_t> purge(purge_what what);

    [[nodiscard]] task<std::vector<worker_description>> workers();

    [[nodiscard]] const queue_keys& keys() const noexcept { return keys_; }

  private:
    // An entry that somebody has claimed.
    struct held_entry {
        std::string entry;
        std::string holder;
        std::uint64_t deliveries = 0;
    };
    using held_entries = std::vector<held_entry>;

    // admin_list.cpp
    [[nodiscard]] task<held_entries> claimed(std::size_t lane, std::string from, std::string to);
    [[nodiscard]] task<> list_running(std::vector<job_description>* out, std::size_t lane,
                                      std::size_t limit);
    [[nodiscard]] task<> list_waiting(std::vector<job_description>* out, std::size_t lane,
                                      std::size_t limit);
    [[nodiscard]] task<std::vector<job_description>> list_sorted(job_state state,
                                                                 std::size_t limit);
    [[nodiscard]] static bool describe_record(job_description& job, std::string_view record,
                                              bool exists);
    [[nodiscard]] task<std::optional<job_description>> show_entry(std::string id, std::size_t lane,
                                                                  std::string entry);
    // admin_purge.cpp
    [[nodiscard]] task<std::size_t> purge_delayed();
    [[nodiscard]] task<std::size_t> purge_lane(std::size_t lane, bool also_set_aside);
    [[nodiscard]] task<std::size_t> purge_dead();

    detail::job_server server_;
    queue_keys keys_;
    detail::script_runner scripts_;
};

}  // namespace weir::redisq
