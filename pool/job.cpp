// The beginning and the end of a job: begin, end, cancel, expire, report.
#include <algorithm>
#include <cstdio>

#include "../runtime/detail/subtask.hpp"
#include "detail/pool_core.hpp"

namespace weir::detail {

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
        delete this;
    } else if (state_ == job_state::finished) {
        if (const std::exception_ptr unread = error(); unread != nullptr && !is_observed()) {
            report_unobserved(*this, unread);
        }
        delete this;
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

posted_job::posted_job(pool_core& owner, scheduler& loop, context& group) noexcept
    : job(owner, loop) {
    attach(group);
}

void posted_job::renew(context& group) noexcept {
    pool_core& owner = owner_pool();
    scheduler& on = loop();
    detach();
    posted_job::~posted_job();
    ::new (static_cast<void*>(this)) posted_job(owner, on, group);
}

void posted_job::start() noexcept { owner_pool().begin_posted(*this); }
void posted_job::ended() noexcept { owner_pool().posted_ended(*this); }

void job::start() noexcept { owner_->begin(*this); }

void job_ended(job& ended) noexcept { ended.owner_pool().ended(ended); }
void cancel_job(job& target) noexcept { target.owner_pool().cancel(target); }
void report_unobserved(job& from, const std::exception_ptr& error) noexcept {
    from.owner_pool().report(from, error);
}

namespace {

std::exception_ptr make_error(refusal why, const job& target) noexcept {
    try {
        throw_refusal(why, target.owner_pool());
    } catch (...) {
        return std::current_exception();
    }
}

std::exception_ptr make_timed_out(const job& target) noexcept {
    try {
        return std::make_exception_ptr(
            job_timed_out(target.owner_pool().options().name, target.name()));
    } catch (...) {
        return std::make_exception_ptr(timed_out());  // no memory for the text
    }
}

}  // namespace

// Begins the body of a granted job, unless it was stopped or has expired meanwhile.
void pool_core::begin(job& granted) noexcept {
    if (granted.stop_requested()) [[unlikely]] {
        end_unstarted(granted, refusal::canceled);
        return;
    }
    if (granted.deadlines_ != nullptr) [[unlikely]] {
        if (granted.deadlines_->next() <= loop_->now()) {
            end_unstarted(granted, refusal::expired);
            return;
        }
    }
    granted.state_ = job_state::running;
    if (granted.deadlines_ != nullptr) [[unlikely]] {
        granted.deadlines_->arm();
    }
    granted.run();
}

// The body has ended: result stored, frame and callable destroyed.
void pool_core::ended(job& target) noexcept {
    if (target.outcome_ == job_outcome::value) [[likely]] {
        ++stats_.completed;
    } else if (is_canceled(target.error()) && target.stop_requested()) {
        if (target.deadlines_ != nullptr && target.deadlines_->finish_expired) {
            target.replace_error(make_timed_out(target));
            ++stats_.failed;
        } else {
            ++stats_.canceled;
        }
    } else {
        ++stats_.failed;
    }
    finish(target);
}

// A job whose body never ran: leaves where it stands and ends with the error for `why`.
void pool_core::end_unstarted(job& target, refusal why) noexcept {
    ++(why == refusal::expired ? stats_.expired : stats_.canceled);
    ++never_started_;
    if (why == refusal::canceled) {
        target.request_stop();
    }
    target.abandon(make_error(why, target));
    finish(target);
}

// Begins the closure of a granted record, unless the pool was stopped meanwhile.
void pool_core::begin_posted(posted_job& record) noexcept {
    if (record.stop_requested()) [[unlikely]] {
        ++stats_.canceled;
        ++never_started_;
        record.empty();
        release_record(record);
        return;
    }
    record.begin();
}

// The body has ended, frame and closure are destroyed.
void pool_core::posted_ended(posted_job& record) noexcept {
    if (record.error_ == nullptr) [[likely]] {
        ++stats_.completed;
    } else {
        const std::exception_ptr error = std::exchange(record.error_, nullptr);
        ++(record.stop_requested() && is_canceled(error) ? stats_.canceled : stats_.failed);
        report(record, error);
    }
    release_record(record);
}

// A body that stopped its own context must not have stopped those that come after it. In a pool
// that is being stopped they are to be stopped as well.
void pool_core::renew(posted_job& record) noexcept {
    if (!group_.stop_requested()) {
        record.renew(group_);
    }
}

void pool_core::release_record(posted_job& record) noexcept {
    record.state_ = job_state::created;
    make_spare(record);
    --running_;
    after_release();
}

void pool_core::end_in_place(posted_job& record, std::exception_ptr error) noexcept {
    --loop_->in_place_depth;
    record.error_ = std::move(error);
    posted_ended(record);
}

// The common end: the slot or turn is released first, then whoever waits is woken.
void pool_core::finish(job& target) noexcept {
    const bool had_slot =
        target.state_ == job_state::granted || target.state_ == job_state::running;
    target.state_ = job_state::finished;
    target.detach();
    if (target.deadlines_ != nullptr) [[unlikely]] {
        target.deadlines_->disarm();
    }
    if (had_slot) {
        release_slot(target);
    } else {
        target.slot_host_ = nullptr;
    }
    if (job_waiter* const joiner = std::exchange(target.joiner_, nullptr)) {
        joiner->target_ended();
    }
    target.deliver();
    if (target.watcher_ != nullptr) [[unlikely]] {
        target.tell_watcher();
    }
    if (running_ == 0) {
        wake_if_idle();
    }
    if (!target.held_) {
        target.drop();
    }
}

void pool_core::cancel(job& target) noexcept {
    switch (target.state_) {
        case job_state::queued:
            queue_.remove(target);
            end_unstarted(target, refusal::canceled);
            grant();
            break;
        case job_state::waiting:
            target.unlink();
            end_unstarted(target, refusal::canceled);
            break;
        case job_state::granted:
        case job_state::running:
            target.request_stop();
            break;
        case job_state::created:
        case job_state::parked:
        case job_state::finished:
            break;
    }
}

void pool_core::deadline_passed(job& target) noexcept {
    switch (target.state_) {
        case job_state::parked:
            refuse_parked(*target.parking_, target.deadlines_->admit_by <= loop_->now()
                                                ? refusal::admission_timed_out
                                                : refusal::expired);
            break;
        case job_state::queued:
            queue_.remove(target);
            end_unstarted(target, refusal::expired);
            grant();
            break;
        case job_state::waiting:
            target.unlink();
            end_unstarted(target, refusal::expired);
            break;
        case job_state::running:
            target.deadlines_->finish_expired = true;
            target.request_stop();
            break;
        case job_state::created:
        case job_state::granted:  // begin() looks
        case job_state::finished:
            break;
    }
}

// A submission leaves the park without having been admitted; its submitter learns why.
void pool_core::refuse_parked(parked_item& item, refusal why) noexcept {
    unpark(item);
    ++stats_.rejected;
    job* const refused = item.submitter != nullptr ? item.submitter->job_ : item.from_thread;
    if (refused != nullptr) {
        refused->state_ = job_state::created;
        if (refused->deadlines_ != nullptr) {
            refused->deadlines_->disarm();
        }
    }
    if (item.submitter != nullptr) {
        item.submitter->refusal_ = why;
        item.submitter->wake();
        return;
    }
    gate_.release();
    refused->abandon(make_error(why, *refused));
    refused->state_ = job_state::finished;
    refused->deliver();
    refused->drop();
}

void pool_core::report(job& from, const std::exception_ptr& error) noexcept {
    if (from.stop_requested() && is_canceled(error)) {
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
                     options_.name, from.info().name, static_cast<unsigned long long>(from.id_),
                     known.what());
    } catch (...) {
        std::fprintf(stderr, "weir: pool \"%s\": job \"%s\" %llu failed unobserved\n",
                     options_.name, from.info().name, static_cast<unsigned long long>(from.id_));
    }
}

}  // namespace weir::detail
