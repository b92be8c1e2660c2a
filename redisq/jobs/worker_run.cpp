// How a worker runs jobs: what is ready goes to the pool, one by one or in batches.
#include <algorithm>
#include <system_error>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"
#include "../../runtime/yield.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {
namespace {

// Longer waits for a rate limit are spent among the delayed jobs instead of in a slot.
constexpr duration rate_wait_max = std::chrono::seconds(1);

// Thrown by the wait for a rate limit.
struct come_back_later {
    duration delay;
};

}  // namespace

void worker_core::add_ready(job_context& job) noexcept {
    ready_[job.lane_].push_back(job);
    ++job.queue_->ready[job.lane_];
    ++ready_count_;
    startable_.set();
}

// While earlier lanes have jobs that are not read yet, those of later ones wait.
std::size_t worker_core::lanes_that_start() const noexcept {
    std::size_t end = 0;
    for (const auto& queue : queues_) {
        end = std::max(end, queue->lanes_end);
    }
    return end;
}

task<> worker_core::starter_loop() {
    while (!is_stopping_) {
        startable_.reset();
        co_await start_ready();
        co_await startable_.wait();
    }
}

// After a pause of the whole process, or a long one of Redis, the jobs may be others' by now.
bool worker_core::leases_hold() const noexcept {
    return std::ranges::all_of(queues_, [now = loop_.now()](const auto& queue) {
        return !queue->has_lease || now < queue->lease_until;
    });
}

task<> worker_core::start_ready() {
    if (!leases_hold()) {
        co_return;  // the next beat, which is overdue, tells
    }
    while (ready_count_ != 0 && running_count_ < options_.max_concurrency && !is_stopping_) {
        std::size_t lane = 0;
        const std::size_t end = lanes_that_start();
        while (lane < end && ready_[lane].empty()) {
            ++lane;
        }
        if (lane == end) {
            co_return;
        }
        job_context& job = ready_[lane].pop_front();
        --ready_count_;
        --job.queue_->ready[lane];
        if (job.epoch_ != job.queue_->epoch) {
            drop(job);
            continue;
        }
        if (!admit(job)) {
            continue;
        }
        handler_state& state = *find_handler(job.envelope_.type);
        const handler_options& limits = state.handler->options();
        if (limits.max_concurrency != 0 && state.running >= limits.max_concurrency) {
            // At most half of the slots are spent on waiting for one type.
            if (state.parked.size() > options_.max_concurrency / 2) {
                retry(job, std::chrono::milliseconds(500 + random_.next() % 1000), "", false);
            } else {
                state.parked.push_back(&job);
            }
            continue;
        }
        if (state.handler->batch_max() > 1) {
            state.gathered.push_back(&job);
            if (state.gathered.size() >= state.handler->batch_max()) {
                co_await post_gathered(&state);
            } else if (state.gathered.size() == 1) {
                tasks_->spawn(guarded(gather(&state)));
            }
            continue;
        }
        ++running_count_;
        ++state.running;
        running_.push_back(job);
        co_await pool_.post(&worker_core::run_job, this, &job);
    }
}

handler_state* worker_core::find_handler(std::string_view type) noexcept {
    if (last_found_ != nullptr && last_found_->handler->type() == type) {
        return last_found_;
    }
    const auto found = by_type_.find(type);
    if (found == by_type_.end()) {
        return nullptr;
    }
    last_found_ = found->second;
    return last_found_;
}

// Reads the envelope. False: the job does not run here, and has gone another way.
bool worker_core::admit(job_context& job) {
    const result<envelope> read = read_envelope(job.raw_);
    if (!read) {
        if (read.error().code() == job_errc::unknown_version) {
            add_end({&job, job_end::kind::aside, {}, {}, 0});
        } else {
            bury(job, read.error().message());
        }
        return false;
    }
    job.envelope_ = *read;
    if (job.crashes_ >= options_.max_crashes) {
        bury(job, "quarantined: its worker died " + std::to_string(job.crashes_) +
                      " times while it ran");
        return false;
    }
    if (job.envelope_.expires_ms != 0) {
        const std::optional<job_id_parts> born = parse_job_id(job.id());
        if (born && server_ms(*job.queue_) > born->born_ms + job.envelope_.expires_ms) {
            bury(job, "expired: its deadline passed before it started");
            return false;
        }
    }
    if (job.envelope_.payload.size() > options_.max_payload) {
        bury(job, "payload of " + std::to_string(job.envelope_.payload.size()) +
                      " bytes; allowed: at most " + std::to_string(options_.max_payload));
        return false;
    }
    const handler_state* const state = find_handler(job.envelope_.type);
    if (state == nullptr) {
        bury(job, "no handler for the type '" + std::string(job.envelope_.type) + "'");
        return false;
    }
    if (state->handler->format() != job.envelope_.format) {
        bury(job, "payload is " + std::string(format_name(job.envelope_.format)) +
                      "; the handler takes " + std::string(format_name(state->handler->format())));
        return false;
    }
    return true;
}

// The body of a job in the pool.
task<> worker_core::run_job(worker_core* core, job_context* job) {
    handler_state* const state = core->find_handler(job->envelope_.type);
    std::exception_ptr error;
    if (core->is_stopping_) {
        core->job_stopped_running(*job, *state);
        core->drop(*job);
        co_return;
    }
    // The pool's own context serves one job after the other, and a stop of it would stay.
    stop_source stop;
    job->running_ = &stop;
    job->handler_ = state->handler;
    try {
        const handler_options& limits = job->handler_->options();
        if (limits.rate != 0) {
            co_await with_stop(stop, core->wait_for_rate(job));
        }
        const duration limit = job->envelope_.timeout_ms != 0
                                   ? duration(std::chrono::milliseconds(job->envelope_.timeout_ms))
                               : limits.timeout != duration::zero() ? limits.timeout
                                                                    : core->options_.timeout;
        if (limit != duration::zero()) {
            co_await with_stop(stop, with_timeout(limit, job->handler_->run(*job)));
        } else {
            co_await with_stop(stop, job->handler_->run(*job));
        }
    } catch (const come_back_later& later) {
        core->job_stopped_running(*job, *state);
        core->retry(*job, later.delay, "", false);
        co_return;
    } catch (...) {
        error = std::current_exception();
    }
    core->job_stopped_running(*job, *state);
    core->ended(*job, error);
}

void worker_core::job_stopped_running(job_context& job, handler_state& state) noexcept {
    job.running_ = nullptr;
    if (job.is_linked()) {
        job.unlink();
    }
    --running_count_;
    --state.running;
    if (!state.parked.empty()) {
        job_context& next = *state.parked.front();
        state.parked.pop_front();
        add_ready(next);
    } else if (ready_count_ != 0) {
        startable_.set();
    }
}

task<> worker_core::wait_for_rate(job_context* job) {
    const handler_options& limits = job->handler_->options();
    const auto interval =
        std::chrono::duration_cast<std::chrono::microseconds>(limits.rate_period) / limits.rate;
    worker_queue& queue = *job->queue_;
    for (;;) {
        script_runner::words keys = {queue.keys.rate(job->type())};
        script_runner::words arguments = {
            std::to_string(std::max<std::int64_t>(interval.count(), 1)),
            std::to_string(limits.rate_burst)};
        const result<resp::reply> answer =
            co_await queue.scripts.run(scripts::rate, std::move(keys), std::move(arguments));
        if (!answer) {
            if (answer.error().code() == std::errc::operation_canceled) {
                throw canceled();
            }
            // Redis's trouble, and no failure of the job.
            throw come_back_later{std::chrono::seconds(1)};
        }
        const duration wait = std::chrono::microseconds(answer->view().integer());
        if (wait <= duration::zero()) {
            co_return;
        }
        if (wait > rate_wait_max) {
            throw come_back_later{wait};
        }
        co_await sleep_for(wait);
    }
}

// Waits for more of a batch that is not full.
task<> worker_core::gather(handler_state* state) {
    if (state->handler->linger() == duration::zero()) {
        co_await yield();
    } else {
        co_await sleep_for(state->handler->linger());
    }
    co_await post_gathered(state);
}

task<> worker_core::post_gathered(handler_state* state) {
    std::vector<job_context*> jobs = std::exchange(state->gathered, {});
    if (jobs.empty() || is_stopping_) {
        for (job_context* const job : jobs) {
            drop(*job);
        }
        co_return;
    }
    running_count_ += jobs.size();
    state->running += jobs.size();
    for (job_context* const job : jobs) {
        job->handler_ = state->handler;
        running_.push_back(*job);
    }
    co_await pool_.post(&worker_core::run_batch, this, state, std::move(jobs));
}

// The body of a batch in the pool.
task<> worker_core::run_batch(worker_core* core, handler_state* state,
                              std::vector<job_context*> jobs) {
    const job_handler& handler = *state->handler;
    stop_source stop;
    for (job_context* const job : jobs) {
        job->running_ = &stop;
    }
    std::vector<std::exception_ptr> errors(jobs.size());
    try {
        const duration own = handler.options().timeout;
        const duration limit = own != duration::zero() ? own : core->options_.timeout;
        if (limit != duration::zero()) {
            co_await with_stop(stop, with_timeout(limit, handler.run_batch(jobs, &errors)));
        } else {
            co_await with_stop(stop, handler.run_batch(jobs, &errors));
        }
    } catch (...) {
        errors.assign(jobs.size(), std::current_exception());
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        core->job_stopped_running(*jobs[i], *state);
        core->ended(*jobs[i], errors[i]);
    }
}

}  // namespace weir::redisq::detail
