// How a worker runs jobs: what is ready goes to the pool, one by one or in batches.
#include <algorithm>
#include <system_error>
#include <utility>

#include "../../runtime/with_timeout.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {

void worker_core::add_ready(job_context& job) noexcept {
    job.place_ = job_context::place::ready;
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

// Taken out of its list; null where there is none.
job_context* worker_core::next_to_start() noexcept {
    job_list* from = passed_.empty() ? nullptr : &passed_;
    const std::size_t end = lanes_that_start();
    for (std::size_t lane = 0; lane < end && from == nullptr; ++lane) {
        from = ready_[lane].empty() ? nullptr : &ready_[lane];
    }
    if (from == nullptr) {
        return nullptr;
    }
    job_context& job = from->front();
    take_out(job);
    return &job;
}

task<> worker_core::start_ready() {
    if (!leases_hold()) {
        co_return;  // the next beat, which is overdue, tells
    }
    while (running_count_ < options_.max_concurrency && !is_stopping_) {
        job_context* const job = next_to_start();
        if (job == nullptr) {
            co_return;
        }
        if (job->epoch_ != job->queue_->epoch) {
            drop(*job);
            continue;
        }
        if (!admit(*job)) {
            continue;
        }
        handler_state& state = *find_handler(job->envelope_.type);
        if (!may_start(*job, state)) {
            continue;
        }
        if (state.handler->batch_max() > 1) {
            co_await gather(job, &state);
            continue;
        }
        begin(*job, state);
        co_await pool_.post(&worker_core::run_job, this, job);
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
    if (job.crashes() >= options_.max_crashes) {
        bury(job, "quarantined: its worker died " + std::to_string(job.crashes()) +
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
    return fits_handler(job);
}

bool worker_core::fits_handler(job_context& job) {
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

// From now on it counts as running.
void worker_core::begin(job_context& job, handler_state& state) noexcept {
    if (std::exchange(job.may_start_, false)) {
        --state.passed;
    }
    ++running_count_;
    ++state.running;
    job.handler_ = state.handler;
    job.place_ = job_context::place::running;
}

// Whether it is not to run any more, although it was handed to the pool.
bool worker_core::is_unwanted(const job_context& job) const noexcept {
    return is_stopping_ || job.stop_reason_ != job_context::stop_reason::none ||
           job.epoch_ != job.queue_->epoch;
}

void worker_core::end_unrun(job_context& job, handler_state& state) {
    job_stopped_running(job, state);
    if (job.stop_reason_ == job_context::stop_reason::canceled) {
        end_canceled(job);
    } else {
        drop(job);
    }
}

// The body of a job in the pool.
task<> worker_core::run_job(worker_core* core, job_context* job) {
    handler_state* const state = core->find_handler(job->envelope_.type);
    if (core->is_unwanted(*job)) {
        core->end_unrun(*job, *state);
        co_return;
    }
    std::exception_ptr error;
    // The pool's own context serves one job after the other, and a stop of it would stay.
    stop_source stop;
    job->running_ = &stop;
    try {
        const handler_options& limits = job->handler_->options();
        const duration limit = job->envelope_.timeout_ms != 0
                                   ? duration(std::chrono::milliseconds(job->envelope_.timeout_ms))
                               : limits.timeout != duration::zero() ? limits.timeout
                                                                    : core->options_.timeout;
        if (limit != duration::zero()) {
            co_await with_stop(stop, with_timeout(limit, job->handler_->run(*job)));
        } else {
            co_await with_stop(stop, job->handler_->run(*job));
        }
    } catch (...) {
        error = std::current_exception();
    }
    core->job_stopped_running(*job, *state);
    core->ended(*job, error);
}

void worker_core::job_stopped_running(job_context& job, handler_state& state) noexcept {
    job.running_ = nullptr;
    job.batch_left_ = nullptr;
    job.place_ = job_context::place::none;
    --running_count_;
    --state.running;
    let_parked_pass(state);
    if (ready_count_ != 0 || !passed_.empty()) {
        startable_.set();
    }
}

// Requires that it runs. A batch ends when all of its jobs are asked to.
void worker_core::ask_to_stop(job_context& job, job_context::stop_reason why) noexcept {
    const bool was_asked = job.stop_reason_ != job_context::stop_reason::none;
    job.stop_reason_ = why;
    if (was_asked || job.running_ == nullptr ||
        (job.batch_left_ != nullptr && --*job.batch_left_ != 0)) {
        return;  // one that has not begun sees it when it does
    }
    job.running_->request_stop();
}

}  // namespace weir::redisq::detail
