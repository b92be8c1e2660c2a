// A worker on one loop: what stands behind weir::redisq::worker.
//
// Each queue has a connection for blocking reads, all share another one (of a cluster: one a node)
// for everything else. Tasks of the core, all in one scope that main_task() owns, in a context of
// their own that no stop from outside reaches, so that stopping can be orderly:
//   fetch   (several a queue)  reads new jobs while slots are free
//   starter                    hands jobs that are ready to the pool
//   flush   (one a queue)      sends what has ended: all plain ends of a tick in one XDEL and XACK
//                              a lane, the others by a script each
//   lease   (one a queue)      renews the lease, reaps, promotes, hears of pauses and cancels
//   gate    (one a limited type and queue, while jobs wait there)   asks for starts under a rate
//   deferrer                   files jobs that too long wait for their type's limit among the
//                              delayed ones, a few at a time
//
// Slots: used_ (jobs that are ready, wait, run, or whose end waits for a script) + reserved_ (jobs
// that reads on their way may bring) <= max_concurrency, but for what the lanes behind the first
// one of a read bring beyond it, which waits in ready_.
//
// Places of a job_context, each set by who moves it there:
//   ready     in ready_, as it came
//   held      waits for its type's limits: in `parked` of its handler_state, or at a rate_gate
//   passed    in passed_: its limits let it start, whatever lane it is of
//   gathered  in a batch that has not begun
//   running   handed to the pool
//   ended     in its queue's `ends` or `ends_sent`, or free at once
// Who is canceled, or loses its lease, before it runs, leaves its place at once. Who runs is asked
// to stop; the end of a job whose lease is lost changes nothing in Redis. A batch that runs is
// asked to stop when all of its jobs are.
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../../pool/pool.hpp"
#include "../../../runtime/event.hpp"
#include "../../../runtime/scope.hpp"
#include "../../../runtime/stop.hpp"
#include "../../detail/background.hpp"
#include "../../replies.hpp"
#include "../keys.hpp"
#include "../options.hpp"
#include "../worker_stats.hpp"
#include "ack_list.hpp"
#include "job_handler.hpp"
#include "job_link.hpp"
#include "job_reader.hpp"
#include "job_server.hpp"
#include "job_window.hpp"
#include "random.hpp"
#include "script_runner.hpp"

namespace weir::redisq::detail {

using job_list = weir::detail::intrusive_list<job_context>;

// What has become of a job that needs more than its entry gone.
struct job_end {
    enum class kind : std::uint8_t { settle, retry, bury, aside };
    job_context* job = nullptr;
    kind what = kind::settle;
    std::string record;  // settle, bury: the result
    std::string bytes;   // retry, bury: the envelope
    std::uint64_t delay_ms = 0;
};

struct waiting_jobs {
    job_list jobs;
    std::size_t count = 0;
};

// Jobs of one type and one queue that wait for the type's rate.
struct rate_gate {
    waiting_jobs waiting;
    bool is_asking = false;  // a task of the gate runs
    time_point next{};       // no start before, as far as is known
};

// A handler and how much of it runs here.
struct handler_state {
    // None of its jobs may begin, for the sake of max_concurrency.
    [[nodiscard]] bool is_full() const noexcept { return room() == 0; }
    [[nodiscard]] std::size_t room() const noexcept {
        const std::size_t limit = handler->options().max_concurrency;
        const std::size_t taken = running + passed;
        return limit == 0 ? SIZE_MAX : limit - std::min(limit, taken);
    }

    const job_handler* handler = nullptr;
    std::size_t running = 0;
    // Let through, and not begun, be it for want of a full batch; also starts that are asked for.
    std::size_t passed = 0;
    waiting_jobs parked;                            // for want of room
    std::vector<std::unique_ptr<rate_gate>> gates;  // by queue; where there is a rate
    event has_room;                                 // gates wait for it
    waiting_jobs gathered;                          // of a batch that is not full
    time_point batch_due{};
    bool is_gathering = false;  // a task waits for the batch to fill
};

struct queue_request {
    std::string name;
    unsigned weight = 1;
};

// How far a search for lost jobs has come.
struct audit_place {
    bool all = false;  // also of those that were delivered only now
    std::size_t lane = 0;
    std::string from = "-";
    bool rests = false;  // interrupted: others have their turn
};

class worker_core;

class worker_queue {
  public:
    worker_queue(worker_core& core, const queue_request& request, std::size_t place,
                 const client_options& reads, const job_server& control)
        : owner(&core),
          keys(request.name),
          index(place),
          weight(request.weight),
          server(control.of_queue(request.name)),
          fetch(server, reads),
          scripts(server) {}

    worker_core* owner;
    queue_keys keys;
    std::size_t index;
    unsigned weight;
    job_server server;
    job_reader fetch;
    script_runner scripts;

    std::string consumer;
    std::uint64_t epoch = 0;  // of the consumer's name
    bool has_lease = false;
    bool had_lease = false;
    bool is_paused = false;
    bool has_lost_reads = false;  // a read ended without its reply: there may be jobs to look for
    bool is_idle = false;         // the last read found nothing
    unsigned lanes = 0;           // bits of those that can be read
    std::size_t lanes_end = lane_count;           // what the next read asks for
    std::array<std::size_t, lane_count> ready{};  // of its jobs
    std::size_t reads = 0;                        // on their way
    std::uint64_t served = 0;                     // in virtual time, see is_turn_of()

    time_point lease_until{};
    time_point next_beat{};
    time_point next_due = time_point::max();
    time_point next_audit{};
    time_point next_reap{};
    std::string beat_trouble;  // of the last heartbeat; empty where that was granted
    bool is_silent = false;    // the last heartbeat had no answer
    std::string last_trouble;  // reported at trouble_told
    time_point trouble_told{};
    std::int64_t server_ahead_ms = 0;  // the server's clock minus the loop's
    event kick;                        // the lease task has something to do before its time

    std::vector<std::string> canceled;  // ids that the next heartbeat tells were heard of
    std::set<std::string> chased;       // ids that cancel_elsewhere() looks for
    std::map<std::string, std::string, std::less<>> refused;  // jobs, with the reason of a death
                                                              // that Redis would not take
    audit_place audited;

    std::array<ack_list, lane_count> acks;
    std::vector<job_end> ends;
    std::array<ack_list, lane_count> acks_sent;
    std::vector<job_end> ends_sent;
    time_point texts_until{};       // ends bring the texts of their scripts
    bool knows_no_scripts = false;  // the server, although it was taught
    resp::command_buffer out;       // of a flush
    std::string scratch;
    replies answers;
    event flush;                                   // something has ended
    event flushed;                                 // nothing waits to be sent
    std::uint64_t done = 0, failed = 0, dead = 0;  // since the last beat
};

class worker_core final : private redisq::detail::background {
  public:
    using handlers = std::vector<std::shared_ptr<const job_handler>>;

    worker_core(event_loop& loop, const client_options& server, worker_options options,
                const std::vector<queue_request>& queues, handlers known);
    ~worker_core() override;

    // Runs until begin_stop(), or the stop of the calling task; then ends in order.
    [[nodiscard]] task<> run();
    void begin_stop() noexcept;
    [[nodiscard]] worker_stats stats() const;
    // Told with each heartbeat, on this thread.
    void on_stats(std::function<void(const worker_stats&)> told) { on_stats_ = std::move(told); }
    // Does not look for what endangers the jobs: another core of this worker does.
    void skip_warnings() noexcept { warns_ = false; }

    // For job_context.
    [[nodiscard]] task<> send_progress(job_context* job, std::string text);

  private:
    class run_awaiter;
    friend class run_awaiter;

    // worker_core.cpp
    task<> main_task();
    task<> guarded(task<> body);
    task<> wind_down(scope* tasks);
    task<> hand_back();
    task<> leave_until(worker_queue* queue, time_point deadline);
    void on_ended(std::exception_ptr thrown) noexcept override;
    void report(const std::string& text) const;
    void report_trouble(worker_queue& queue, const std::string& text);
    task<> look_at_server(worker_queue* queue);
    job_context& make_job(worker_queue& queue, std::size_t lane, job_window& window,
                          const resp::reply_view& entry, const resp::reply_view& fields,
                          std::uint32_t crashes);
    void release(job_context& job) noexcept;
    void wake_for_room() noexcept;
    // Of all that are not free.
    template <class Visit>
    void for_each_job(Visit&& visit) const {
        for (const auto& job : jobs_) {
            if (job->window_ != nullptr) {
                visit(*job);
            }
        }
    }
    std::size_t forget_jobs() noexcept;

    // worker_fetch.cpp
    task<> fetch_loop(worker_queue* queue, std::size_t window);
    task<> fetch_once(worker_queue* queue, std::size_t count, bool block);
    [[nodiscard]] std::size_t room_for(const worker_queue& queue,
                                       std::size_t window) const noexcept;
    [[nodiscard]] bool is_turn_of(const worker_queue& queue) const noexcept;
    [[nodiscard]] static resp::command_buffer read_command(const worker_queue& queue,
                                                           std::size_t count, bool block);
    void read_failed(worker_queue& queue, const error& why);
    void take_entries(worker_queue& queue, resp::reply answer, std::size_t& found,
                      std::size_t& first_lane);

    // worker_audit.cpp
    task<> search(worker_queue* queue);
    enum class audit_end : std::uint8_t { complete, interrupted, failed };
    task<audit_end> audit(worker_queue* queue, duration idle);
    task<audit_end> audit_lane(worker_queue* queue, duration idle);
    void lose_sight(worker_queue& queue) noexcept;
    task<bool> recall(worker_queue* queue, std::size_t lane, std::vector<std::string> entries);
    void take_up(job_context& job);
    [[nodiscard]] static bool is_wrong_type(std::string_view why) noexcept;
    [[nodiscard]] bool end_refused(worker_queue& queue, const job_end& end, std::string_view why);
    [[nodiscard]] std::vector<std::string> strangers(const worker_queue& queue, std::size_t lane,
                                                     const resp::reply_view& pending) const;

    // worker_run.cpp
    task<> starter_loop();
    task<> start_ready();
    [[nodiscard]] bool leases_hold() const noexcept;
    void add_ready(job_context& job) noexcept;
    [[nodiscard]] std::size_t lanes_that_start() const noexcept;
    [[nodiscard]] job_context* next_to_start() noexcept;
    [[nodiscard]] bool admit(job_context& job);
    [[nodiscard]] bool fits_handler(job_context& job);
    [[nodiscard]] handler_state* find_handler(std::string_view type) noexcept;
    void begin(job_context& job, handler_state& state) noexcept;
    static task<> run_job(worker_core* core, job_context* job);
    [[nodiscard]] bool is_unwanted(const job_context& job) const noexcept;
    void end_unrun(job_context& job, handler_state& state);
    void job_stopped_running(job_context& job, handler_state& state) noexcept;
    void ask_to_stop(job_context& job, job_context::stop_reason why) noexcept;

    // worker_batch.cpp
    task<> gather(job_context* job, handler_state* state);
    task<> wait_for_batch(handler_state* state);
    task<> post_gathered(handler_state* state);
    static task<> run_batch(worker_core* core, handler_state* state,
                            std::vector<job_context*> jobs);

    // worker_limits.cpp
    [[nodiscard]] bool may_start(job_context& job, handler_state& state);
    void hold(job_context& job, waiting_jobs& where) noexcept;
    void pass(job_context& job, handler_state& state) noexcept;
    void let_parked_pass(handler_state& state) noexcept;
    void take_out(job_context& job) noexcept;
    void forget_pass(job_context& job) noexcept;
    task<> gate_loop(handler_state* state, worker_queue* queue);
    task<std::size_t> ask_for_starts(handler_state* state, worker_queue* queue, std::size_t wanted);
    task<> defer_loop();
    void defer_one();
    [[nodiscard]] bool holds_too_many() const noexcept;

    // worker_ends.cpp
    void ended(job_context& job, const std::exception_ptr& error);
    void succeeded(job_context& job);
    void failed(job_context& job, const std::exception_ptr& error);
    void end_canceled(job_context& job);
    void retry(job_context& job, duration delay, const std::string& reason, bool counts);
    void bury(job_context& job, const std::string& reason, bool has_run = false);
    void add_death(job_context& job, const std::string& reason, bool has_run);
    void drop(job_context& job) noexcept;
    void add_end(job_end end);
    task<> flush_loop(worker_queue* queue);
    task<> flush_once(worker_queue* queue);
    void take_ends(worker_queue& queue, std::size_t plain);
    void encode_end(worker_queue& queue, const job_end& end, bool by_text,
                    resp::command_buffer& out);
    void end_sent(worker_queue& queue, job_end end, const resp::reply_view& answer);

    // worker_lease.cpp
    [[nodiscard]] duration lease_limit(const worker_queue& queue) const noexcept;
    task<> lease_loop(worker_queue* queue);
    task<> join(worker_queue* queue);
    task<> try_join(worker_queue* queue);
    task<> beat(worker_queue* queue);
    task<> look_for_owner(worker_queue* queue, std::shared_ptr<client> asked, error why);
    task<> leave(worker_queue* queue);
    void lose_lease(worker_queue& queue, const std::string& why);

    // worker_reap.cpp
    task<> reap(worker_queue* queue);
    task<> promote(worker_queue* queue);

    // worker_cancel.cpp
    void cancel_jobs(worker_queue& queue, const resp::reply_view& ids, std::size_t from);
    [[nodiscard]] bool cancel_job(job_context& job);
    task<> cancel_elsewhere(worker_queue* queue, std::vector<std::string> ids);
    [[nodiscard]] std::uint64_t server_ms(const worker_queue& queue) const noexcept;

    event_loop& loop_;
    worker_options options_;
    job_link control_;
    std::vector<std::unique_ptr<worker_queue>> queues_;
    handlers known_;
    std::vector<std::unique_ptr<handler_state>> states_;
    std::unordered_map<std::string_view, handler_state*> by_type_;
    handler_state* last_found_ = nullptr;
    pool pool_;

    const std::size_t worth_;  // slots that a further read waits for
    std::size_t used_ = 0;
    std::size_t reserved_ = 0;
    std::array<job_list, lane_count> ready_;
    std::size_t ready_count_ = 0;
    job_list passed_;
    std::size_t held_count_ = 0;
    std::size_t running_count_ = 0;
    std::uint64_t virtual_time_ = 0;
    std::vector<std::unique_ptr<job_context, void (*)(job_context*)>> jobs_;  // all ever made
    std::vector<job_context*> free_;
    event room_;       // slots have become free, or something else that reads wait for
    event startable_;  // ready_ or passed_ may hold what can start
    event crowded_;    // too many jobs are held
    event stop_;
    scope* tasks_ = nullptr;
    bool is_stopping_ = false;
    bool warns_ = true;  // after the first lease

    random_source random_;
    worker_stats stats_;
    std::function<void(const worker_stats&)> on_stats_;
    std::exception_ptr failure_;  // of one of the tasks
    std::exception_ptr thrown_;   // for who runs this
    run_awaiter* runner_ = nullptr;
};

}  // namespace weir::redisq::detail
