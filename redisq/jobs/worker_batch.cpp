// Jobs that are handled many at a time.
//
// Until its batch begins, each job stands alone: canceled, or its lease lost, it leaves the batch.
// A batch that runs goes on while one of its jobs is wanted.
#include <algorithm>
#include <utility>

#include "../../runtime/sleep.hpp"
#include "../../runtime/with_timeout.hpp"
#include "../../runtime/yield.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {

// Puts a job that may start into the batch of its type, which begins when it is full.
task<> worker_core::gather(job_context* job, handler_state* state) {
    if (!std::exchange(job->may_start_, true)) {
        ++state->passed;  // until it begins, or is forgotten
    }
    waiting_jobs& batch = state->gathered;
    job->place_ = job_context::place::gathered;
    job->waits_in_ = &batch;
    batch.jobs.push_back(*job);
    ++batch.count;
    const std::size_t limit = state->handler->options().max_concurrency;
    const std::size_t most = state->handler->batch_max();
    if (batch.count >= (limit == 0 ? most : std::min(most, limit))) {
        co_await post_gathered(state);
        co_return;
    }
    if (batch.count == 1) {
        state->batch_due = saturating_add(loop_.now(), state->handler->linger());
    }
    if (!state->is_gathering) {
        tasks_->spawn(guarded(wait_for_batch(state)));
        state->is_gathering = true;
    }
}

// Begins batches that do not fill in time, while there are any.
task<> worker_core::wait_for_batch(handler_state* state) {
    while (state->gathered.count != 0) {
        if (state->handler->linger() == duration::zero()) {
            co_await yield();
        } else {
            co_await sleep_until(state->batch_due);
        }
        if (loop_.now() >= state->batch_due) {
            co_await post_gathered(state);
        }
    }
    state->is_gathering = false;
}

task<> worker_core::post_gathered(handler_state* state) {
    std::vector<job_context*> jobs;
    jobs.reserve(state->gathered.count);
    while (state->gathered.count != 0) {
        job_context& job = state->gathered.jobs.front();
        take_out(job);
        begin(job, *state);
        jobs.push_back(&job);
    }
    if (!jobs.empty()) {
        co_await pool_.post(&worker_core::run_batch, this, state, std::move(jobs));
    }
}

// The body of a batch in the pool.
task<> worker_core::run_batch(worker_core* core, handler_state* state,
                              std::vector<job_context*> jobs) {
    const job_handler& handler = *state->handler;
    std::erase_if(jobs, [core, state](job_context* job) {
        const bool is_unwanted = core->is_unwanted(*job);
        if (is_unwanted) {
            core->end_unrun(*job, *state);
        }
        return is_unwanted;
    });
    if (jobs.empty()) {
        co_return;
    }
    stop_source stop;
    std::size_t left = jobs.size();
    for (job_context* const job : jobs) {
        job->running_ = &stop;
        job->batch_left_ = &left;
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
        // Those whose payload could not be read keep their own.
        std::ranges::replace(errors, std::exception_ptr(), std::current_exception());
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        core->job_stopped_running(*jobs[i], *state);
        core->ended(*jobs[i], errors[i]);
    }
}

}  // namespace weir::redisq::detail
