// A worker's life: from its first lease to its last hand-back; its job records.
#include "detail/worker_core.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"

namespace weir::redisq::detail {
namespace {

constexpr duration wind_down_limit = std::chrono::seconds(5);

client_options for_control(client_options server) {
    if (server.client_name.empty()) {
        server.client_name = "weir-worker";
    }
    return server;
}

client_options for_reads(client_options server) {
    server = for_control(std::move(server));
    server.command_timeout = duration::zero();  // reads have their own
    return server;
}

pool_options for_pool(const worker_options& options) {
    pool_options made;
    made.max_concurrency = options.max_concurrency;
    // A slot is free for us before the pool has it back.
    made.max_queue_size = std::max<std::size_t>(options.max_concurrency, options.window);
    made.max_queue_size = std::min<std::size_t>(made.max_queue_size, 1024);
    made.name = "jobs";
    return made;
}

}  // namespace

// Waits until the core has ended; a stop of the waiting task begins the core's orderly stop.
class worker_core::run_awaiter : private weir::detail::waiter, private weir::detail::stop_listener {
  public:
    explicit run_awaiter(worker_core& core) noexcept : core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir::detail::weir_promise Promise>
    void await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr weir::detail::wait_kind kind{"worker", nullptr};
        context& caller = task.promise().context();
        suspend(caller, task, kind);
        core_.runner_ = this;
        core_.background::run(core_.main_task());
        caller.add_stop_listener(*this);
    }

    void await_resume() const {
        if (core_.thrown_ != nullptr) {
            std::rethrow_exception(core_.thrown_);
        }
    }

    void ended() noexcept {
        if (is_linked()) {
            unlink();
        }
        wake();
    }

  private:
    void on_stop() noexcept override { core_.begin_stop(); }

    worker_core& core_;
};

worker_core::worker_core(event_loop& loop, const client_options& server, worker_options options,
                         const std::vector<queue_request>& queues, handlers known)
    : background(loop, "worker"),
      loop_(loop),
      options_(std::move(options)),
      control_(for_control(server), options_.cluster),
      known_(std::move(known)),
      pool_(loop, for_pool(options_)),
      worth_(std::clamp<std::size_t>(options_.max_concurrency / options_.windows, 1,
                                     options_.window)) {
    const client_options reads = for_reads(server);
    for (const queue_request& request : queues) {
        queues_.push_back(std::make_unique<worker_queue>(*this, request, queues_.size(), reads,
                                                         control_.server()));
    }
    for (const auto& handler : known_) {
        states_.push_back(std::make_unique<handler_state>());
        handler_state& state = *states_.back();
        state.handler = handler.get();
        by_type_[handler->type()] = &state;
        if (handler->options().rate != 0) {
            std::ranges::generate_n(std::back_inserter(state.gates),
                                    static_cast<std::ptrdiff_t>(queues_.size()),
                                    [] { return std::make_unique<rate_gate>(); });
        }
    }
}

worker_core::~worker_core() { forget_jobs(); }

task<> worker_core::run() { co_await run_awaiter(*this); }

void worker_core::begin_stop() noexcept {
    is_stopping_ = true;
    stop_.set();
    room_.set();
}

void worker_core::on_ended(std::exception_ptr thrown) noexcept {
    thrown_ = std::move(thrown);
    std::exchange(runner_, nullptr)->ended();
}

void worker_core::report(const std::string& text) const {
    if (options_.on_report) {
        options_.on_report(text);
    } else {
        std::fprintf(stderr, "weir worker: %s\n", text.c_str());
    }
}

task<> worker_core::main_task() {
    scope tasks;
    tasks_ = &tasks;
    try {
        for (const auto& queue : queues_) {
            queue->flushed
                .set();  // until something has ended, nothing stands in the way of the end
            tasks.spawn_named("lease loop", guarded(lease_loop(queue.get())));
            tasks.spawn_named("flush loop", guarded(flush_loop(queue.get())));
            for (std::size_t i = 0; i < options_.windows; ++i) {
                tasks.spawn_named("fetch loop", guarded(fetch_loop(queue.get(), i)));
            }
        }
        tasks.spawn_named("starter loop", guarded(starter_loop()));
        tasks.spawn_named("defer loop", guarded(defer_loop()));
        co_await stop_.wait();
    } catch (...) {
        failure_ = std::current_exception();
    }
    begin_stop();
    co_await wind_down(&tasks);
    if (failure_ != nullptr) {
        std::rethrow_exception(failure_);
    }
}

// A loop that fails, for want of memory say, stops the worker.
task<> worker_core::guarded(task<> body) {
    try {
        co_await std::move(body);
    } catch (const canceled&) {
        co_return;
    } catch (...) {
        if (failure_ == nullptr) {  // what follows from the first may say less
            failure_ = std::current_exception();
        }
        begin_stop();
    }
}

task<> worker_core::wind_down(scope* tasks) {
    const error stopping(make_error_code(std::errc::operation_canceled), "the worker stops");
    for (const auto& queue : queues_) {
        queue->fetch.disconnect(stopping);
        queue->kick.set();
    }
    for_each_job([this](job_context& job) {
        if (job.place_ != job_context::place::running && job.place_ != job_context::place::ended) {
            drop(job);
        }
    });
    const drain_report drained = co_await pool_.drain_for(options_.grace);
    static_cast<void>(drained);
    co_await hand_back();
    tasks->request_stop();
    try {
        co_await tasks->join();
    } catch (const std::exception& problem) {
        report(std::string("a task of the worker failed: ") + problem.what());
    }
    const std::size_t untold = forget_jobs();
    if (untold != 0) {
        stats_.lost += untold;
        report(std::to_string(untold) +
               " jobs have ended without Redis hearing of it, they run again");
    }
    for (const auto& queue : queues_) {
        co_await queue->fetch.close();
    }
    co_await control_.close();
}

// All at once: one that has to wait, for its node say, takes no time from the others. Without
// memory to hand one back, its jobs come free with the lease.
task<> worker_core::hand_back() {
    // Not longer than the jobs are ours.
    const time_point deadline =
        saturating_add(loop_.now(), std::min(wind_down_limit, options_.lease));
    scope leaving;
    const auto keep_failure = [this]() noexcept {
        if (failure_ == nullptr) {
            failure_ = std::current_exception();
        }
    };
    try {
        for (const auto& queue : queues_) {
            queue->flush.set();
            leaving.spawn(leave_until(queue.get(), deadline));
        }
    } catch (...) {
        keep_failure();
    }
    try {
        co_await leaving.join();
    } catch (...) {
        keep_failure();
    }
    if (on_stats_) {
        on_stats_(stats());
    }
}

task<> worker_core::leave_until(worker_queue* queue, time_point deadline) {
    try {
        co_await with_deadline(deadline, leave(queue));
    } catch (const std::exception& problem) {
        report("queue '" + queue->keys.queue() +
               "': its jobs could not be handed back, they come free with the lease: " +
               problem.what());
    }
}

// What was not told to Redis stays pending there. Returns how many jobs had ended.
std::size_t worker_core::forget_jobs() noexcept {
    std::size_t untold = 0;
    for (const auto& queue : queues_) {
        for (std::size_t lane = 0; lane < lane_count; ++lane) {
            untold += queue->acks[lane].count() + queue->acks_sent[lane].count();
            queue->acks[lane].clear();
            queue->acks_sent[lane].clear();
        }
        untold += queue->ends.size() + queue->ends_sent.size();
        queue->ends.clear();
        queue->ends_sent.clear();
    }
    for_each_job([this](job_context& job) { drop(job); });
    return untold;
}

worker_stats worker_core::stats() const {
    worker_stats now = stats_;
    now.ready = ready_count_;
    now.running = used_;
    now.has_lease = true;
    for (const auto& queue : queues_) {
        now.has_lease = now.has_lease && queue->has_lease;
    }
    return now;
}

job_context& worker_core::make_job(worker_queue& queue, std::size_t lane, job_window& window,
                                   const resp::reply_view& entry, const resp::reply_view& fields,
                                   std::uint32_t crashes) {
    if (free_.empty()) {
        jobs_.emplace_back(new job_context(), [](job_context* job) { delete job; });
        free_.reserve(jobs_.size());
        free_.push_back(jobs_.back().get());
    }
    job_context& job = *free_.back();
    free_.pop_back();
    ++used_;
    ++stats_.claimed;
    window.hold();
    job.queue_ = &queue;
    job.window_ = &window;
    job.epoch_ = queue.epoch;
    job.lane_ = static_cast<std::uint8_t>(lane);
    job.crashes_ = crashes;
    job.entry_ = entry.text();
    for (auto field = fields.begin(); field != fields.end();) {
        const std::string_view name = (*field++).text();
        if (field == fields.end()) {
            break;
        }
        const std::string_view value = (*field++).text();
        if (name == job_field) {
            job.raw_ = value;
        } else if (name == job_id_field) {
            job.filed_id_ = value;
        }
    }
    return job;
}

void worker_core::release(job_context& job) noexcept {
    forget_pass(job);
    job.window_->drop();
    job.window_ = nullptr;
    job.handler_ = nullptr;
    job.running_ = nullptr;
    job.place_ = job_context::place::none;
    job.raw_ = {};
    job.envelope_ = envelope();
    job.filed_id_ = {};
    job.id_.clear();
    job.result_.clear();
    job.stop_reason_ = job_context::stop_reason::none;
    free_.push_back(&job);  // has room: it held as many before
    --used_;
    wake_for_room();
}

void worker_core::wake_for_room() noexcept {
    // Reads that wait for more room than there is are left alone while another read is under way.
    if (queues_.size() == 1 && queues_[0]->reads != 0 &&
        options_.max_concurrency < used_ + reserved_ + worth_) {
        return;
    }
    room_.set();
}

task<> worker_core::send_progress(job_context* job, std::string text) {
    if (job->envelope_.result_ms == 0) {
        co_return;
    }
    worker_queue& queue = *job->queue_;
    if (job->epoch_ != queue.epoch) {
        throw job_exception(job_errc::lease_lost, "job " + job->id() + " runs elsewhere by now");
    }
    script_runner::words keys = {queue.keys.lane(job->lane_), queue.keys.result(job->id())};
    script_runner::words arguments = {std::string(job_group), queue.consumer,
                                      std::string(job->entry_), "p" + text,
                                      std::to_string(job->envelope_.result_ms)};
    result<resp::reply> answer =
        co_await queue.scripts.run(scripts::progress, std::move(keys), std::move(arguments));
    if (!answer) {
        if (answer.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(answer.error());
    }
    if (answer->view().integer() == 0) {
        throw job_exception(job_errc::lease_lost, "job " + job->id() + " runs elsewhere by now");
    }
}

}  // namespace weir::redisq::detail

namespace weir::redisq {

const std::string& job_context::id() {
    if (id_.empty()) {
        id_ = filed_id_.empty() ? first_job_id(entry_, lane_) : std::string(filed_id_);
    }
    return id_;
}

task<> job_context::progress(std::string text) {
    return queue_->owner->send_progress(this, std::move(text));
}

const std::string& job_context::queue() const noexcept { return queue_->keys.queue(); }

}  // namespace weir::redisq
