// The beginning and the end of a job: begin, end, cancel, expire, report.
#include <algorithm>
#include <cstdio>

#include "../runtime/detail/subtask.hpp"
#include "pool.hpp"

namespace weir {
namespace detail {

job_deadlines::job_deadlines(job& owner_job, const submit_options& options, time_point now) noexcept
    : timer_node(&passed),
      owner(owner_job),
      admit_by(saturating_add(now, options.admit())),
      start_by(saturating_add(now, options.start())),
      finish_by(saturating_add(now, options.finish())) {}

job_deadlines::~job_deadlines() { disarm(); }

void job_deadlines::disarm() noexcept { owner.loop().disarm(*this); }

// The deadline that counts in the job's present state.
time_point job_deadlines::next() const noexcept {
    const time_point start = std::min(start_by, finish_by);
    switch (owner.state()) {
        case job_state::created:
        case job_state::parked:
            return std::min(admit_by, start);
        case job_state::queued:
        case job_state::granted:
        case job_state::waiting:
            return start;
        case job_state::running:
        case job_state::finished:
            break;
    }
    return finish_by;
}

void job_deadlines::arm() noexcept {
    disarm();
    if (const time_point deadline = next(); deadline != time_point::max()) {
        owner.loop().arm(*this, deadline);
    }
}

void job_deadlines::passed(timer_node& timer) noexcept {
    job& expired = static_cast<job_deadlines&>(timer).owner;
    expired.owner_pool().deadline_passed(expired);
}

void job::set_options(const submit_options& options) {
    set_name(options.name());
    if (options.has_deadlines()) {
        deadlines_ = std::make_unique<job_deadlines>(*this, options, loop().now());
    }
}

void job::drop() noexcept {
    held_ = false;
    if (state_ == job_state::created) {
        retire();
    } else if (state_ == job_state::finished) {
        if (const std::exception_ptr unread = error(); unread != nullptr && !is_observed()) {
            report_unobserved(*this, unread);
        }
        retire();
    }
}

void job::watch(job_watcher& watcher) noexcept {
    watcher_ = &watcher;
    if (finished()) {
        tell_watcher();
    }
}

void job::tell_watcher() noexcept {
    if (std::exception_ptr unread = error(); unread != nullptr && watcher_ != nullptr) {
        replace_error(nullptr);
        watcher_->job_failed(std::move(unread));
    }
}

void in_place_job::enter_tree() noexcept {
    state_ = job_state::running;
    attach(owner_pool().group_);
}

// Spare again; one that was asked to stop cannot be asked again, and goes.
void in_place_job::retire() noexcept {
    if (stop_requested()) {
        delete this;
        return;
    }
    state_ = job_state::created;
    outcome_ = job_outcome::none;
    error_ = nullptr;
    set_name("job");
    next_spare = std::exchange(owner_pool().spare_, this);
}

void job::start() noexcept { owner_->begin(*this); }

void job_ended(job& ended) noexcept { ended.owner_pool().ended(ended); }
void cancel_job(job& target) noexcept { target.owner_pool().cancel(target); }
void report_unobserved(job& from, const std::exception_ptr& error) noexcept {
    from.owner_pool().report(from, error);
}

}  // namespace detail

namespace {

std::exception_ptr make_error(detail::refusal why, const detail::job& job) noexcept {
    try {
        detail::throw_refusal(why, job);
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace

// Begins the body of a granted job, unless it was stopped or has expired meanwhile.
void pool::begin(detail::job& granted) noexcept {
    if (granted.stop_requested()) [[unlikely]] {
        end_unstarted(granted, detail::refusal::canceled);
        return;
    }
    if (granted.deadlines_ != nullptr) [[unlikely]] {
        if (granted.deadlines_->next() <= loop_->now()) {
            end_unstarted(granted, detail::refusal::expired);
            return;
        }
    }
    granted.state_ = detail::job_state::running;
    if (granted.deadlines_ != nullptr) [[unlikely]] {
        granted.deadlines_->arm();
    }
    granted.run();
}

// The body has ended: result stored, frame and callable destroyed.
void pool::ended(detail::job& job) noexcept {
    if (job.outcome_ == detail::job_outcome::value) [[likely]] {
        ++stats_.completed;
    } else if (detail::is_canceled(job.error()) && job.stop_requested()) {
        if (job.deadlines_ != nullptr && job.deadlines_->finish_expired) {
            job.replace_error(std::make_exception_ptr(timed_out()));
            ++stats_.failed;
        } else {
            ++stats_.canceled;
        }
    } else {
        ++stats_.failed;
    }
    finish(job);
}

// A job whose body never ran: leaves where it stands and ends with the error for `why`.
void pool::end_unstarted(detail::job& job, detail::refusal why) noexcept {
    ++(why == detail::refusal::expired ? stats_.expired : stats_.canceled);
    ++never_started_;
    if (why == detail::refusal::canceled) {
        job.request_stop();
    }
    job.abandon(make_error(why, job));
    finish(job);
}

// The slow part of end_in_place(): a body that ended at once left work behind, or an error.
void pool::grant_after_in_place() noexcept {
    grant();
    if (running_ == 0) {
        wake_if_idle();
    }
}

void pool::fail_in_place(detail::in_place_job& job, const std::exception_ptr& error) noexcept {
    --stats_.completed;
    ++stats_.failed;
    report(job, error);
}

detail::in_place_job* pool::make_spare() { return new detail::in_place_job(*this, *loop_); }

// The common end: the slot or turn is released first, then whoever waits is woken.
void pool::finish(detail::job& job) noexcept {
    const bool had_slot =
        job.state_ == detail::job_state::granted || job.state_ == detail::job_state::running;
    job.state_ = detail::job_state::finished;
    job.detach();
    if (job.deadlines_ != nullptr) [[unlikely]] {
        job.deadlines_->disarm();
    }
    if (had_slot) {
        release_slot(job);
    } else {
        job.slot_host_ = nullptr;
    }
    if (detail::job_waiter* const joiner = std::exchange(job.joiner_, nullptr)) {
        joiner->target_ended();
    }
    job.deliver();
    if (job.watcher_ != nullptr) [[unlikely]] {
        job.tell_watcher();
    }
    if (running_ == 0) {
        wake_if_idle();
    }
    if (!job.held_) {
        job.drop();
    }
}

void pool::cancel(detail::job& job) noexcept {
    switch (job.state_) {
        case detail::job_state::queued:
            queue_.remove(job);
            end_unstarted(job, detail::refusal::canceled);
            grant();
            break;
        case detail::job_state::waiting:
            job.unlink();
            end_unstarted(job, detail::refusal::canceled);
            break;
        case detail::job_state::granted:
        case detail::job_state::running:
            job.request_stop();
            break;
        case detail::job_state::created:
        case detail::job_state::parked:
        case detail::job_state::finished:
            break;
    }
}

void pool::deadline_passed(detail::job& job) noexcept {
    switch (job.state_) {
        case detail::job_state::parked:
            refuse_parked(job, job.deadlines_->admit_by <= loop_->now()
                                   ? detail::refusal::admission_timed_out
                                   : detail::refusal::expired);
            break;
        case detail::job_state::queued:
            queue_.remove(job);
            end_unstarted(job, detail::refusal::expired);
            grant();
            break;
        case detail::job_state::waiting:
            job.unlink();
            end_unstarted(job, detail::refusal::expired);
            break;
        case detail::job_state::running:
            job.deadlines_->finish_expired = true;
            job.request_stop();
            break;
        case detail::job_state::created:
        case detail::job_state::granted:  // begin() looks
        case detail::job_state::finished:
            break;
    }
}

// A parked job leaves without having been admitted; its submitter learns why.
void pool::refuse_parked(detail::job& job, detail::refusal why) noexcept {
    job.unlink();
    --stats_.parked;
    ++stats_.rejected;
    if (job.deadlines_ != nullptr) {
        job.deadlines_->disarm();
    }
    if (detail::submit_waiter* const submitter = std::exchange(job.submitter_, nullptr)) {
        job.state_ = detail::job_state::created;
        submitter->refusal_ = why;
        submitter->wake();
        return;
    }
    gate_.release();
    job.abandon(make_error(why, job));
    job.state_ = detail::job_state::finished;
    job.deliver();
    job.drop();
}

void pool::report(detail::job& from, const std::exception_ptr& error) noexcept {
    if (from.stop_requested() && detail::is_canceled(error)) {
        return;  // it was asked to stop, and did
    }
    ++stats_.unobserved_errors;
    if (options_.on_error != nullptr) {
        options_.on_error(error, from.info(), options_.on_error_context);
        return;
    }
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        std::fprintf(stderr, "weir: pool \"%s\": job \"%s\" %llu failed unobserved: %s\n",
                     options_.name, from.name(), static_cast<unsigned long long>(from.id_),
                     known.what());
    } catch (...) {
        std::fprintf(stderr, "weir: pool \"%s\": job \"%s\" %llu failed unobserved\n",
                     options_.name, from.name(), static_cast<unsigned long long>(from.id_));
    }
}

}  // namespace weir
