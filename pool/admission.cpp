// What a task goes through that submits to a pool or awaits one of its jobs, and the nesting rule:
// inside a job of the same pool, work that would have to wait for a slot runs on the job's own.
#include "detail/pool_core.hpp"

namespace weir::detail {

void throw_refusal(refusal why, const pool_core& by) {
    const char* const name = by.options().name;
    switch (why) {
        case refusal::none:
        case refusal::canceled:
            throw canceled();
        case refusal::closed:
            throw pool_error(pool_errc::closed, name);
        case refusal::would_deadlock:
            throw pool_error(pool_errc::would_deadlock, name);
        case refusal::admission_timed_out:
            throw pool_error(pool_errc::admission_timed_out, name);
        case refusal::expired:
            throw pool_error(pool_errc::expired, name);
    }
    fatal("unknown refusal %d", static_cast<int>(why));
}

const wait_kind& job_waiter::kind_of(stop_policy policy) noexcept {
    static constexpr wait_kind kinds[] = {
        {"a job", &end_wait}, {"a job", &pass_stop}, {"a job", nullptr}};
    return kinds[static_cast<std::size_t>(policy)];
}

void job_waiter::wait_for_end(job& target, context& task, std::coroutine_handle<> resume,
                              stop_policy policy) noexcept {
    WEIR_ASSERT(target.joiner_ == nullptr, "one task at a time waits for a job");
    target.joiner_ = this;
    claim_.target = &target;
    suspend(task, resume, kind_of(policy));
    if (task.stop_requested() && kind->cancel != nullptr) {
        kind->cancel(*this);
    }
}

void job_waiter::target_ended() noexcept {
    if (claim_.is_linked()) {
        claim_.unlink();
    }
    wake();
}

void job_waiter::target_claimed() noexcept {
    if (kind == &kind_of(stop_policy::ends_wait)) {
        kind = &kind_of(stop_policy::passed_on);
    }
}

void job_waiter::end_wait(waiter& self) noexcept {
    auto& waiting = static_cast<job_waiter&>(self);
    waiting.was_canceled = true;
    waiting.claim_.target->joiner_ = nullptr;
    waiting.target_ended();
}

void job_waiter::pass_stop(waiter& self) noexcept {
    cancel_job(*static_cast<job_waiter&>(self).claim_.target);
}

bool submit_waiter::begin(context& task, std::coroutine_handle<> resume) {
    return pool_.admit(*this, task, resume);
}

void submit_waiter::admitted_from_park() noexcept {
    owns_job_ = false;
    if (!until_end_) {
        wake_soon();
        return;
    }
    context& task = *owner;
    const std::coroutine_handle<> resume = handle;
    task.end_wait();
    wait_for_end(*job_, task, resume, stop_policy::passed_on);
}

void submit_waiter::cancel_parked(waiter& self) noexcept {
    auto& parked = static_cast<submit_waiter&>(self);
    parked.pool_.refuse_parked(parked, refusal::canceled);
}

bool join_waiter::begin(context& task, std::coroutine_handle<> resume) noexcept {
    return job_.owner_pool().join(*this, task, resume);
}

job* job::outer() const noexcept { return outer_ != nullptr ? outer_ : owner_->outer(); }

// Goes from `target` backwards: to the job whose task awaits it, and to the one that it is part of,
// which waits for it even before its first step has returned. Visits each job once; those yet to
// visit are chained through search_next_.
bool job::waits_for(job& from, job& target) noexcept {
    static constinit thread_local std::uint64_t searches = 0;
    const std::uint64_t visited = ++searches;
    job* to_visit = nullptr;
    const auto visit = [&to_visit, visited](job* waiting) {
        if (waiting != nullptr && waiting->search_mark_ != visited) {
            waiting->search_mark_ = visited;
            waiting->search_next_ = std::exchange(to_visit, waiting);
        }
    };
    visit(&target);
    while (to_visit != nullptr && to_visit != &from) {
        const job& at = *std::exchange(to_visit, to_visit->search_next_);
        if (at.joiner_ != nullptr) {
            visit(at.joiner_->owner->host());
        }
        visit(at.outer());
    }
    return to_visit != nullptr;
}

// The innermost job of this pool that `task` is part of, directly or through jobs of other pools.
job* pool_core::host_of(const context& task) const noexcept {
    for (job* host = task.host(); host != nullptr; host = host->outer()) {
        if (host->owner_ == this) {
            return host;
        }
    }
    return nullptr;
}

bool pool_core::admit(submit_waiter& waiter, context& task, std::coroutine_handle<> resume) {
    job* const host = task.host() != nullptr ? host_of(task) : nullptr;
    if (task.stop_requested() || (closed_ && (host == nullptr || stopping_))) [[unlikely]] {
        waiter.refusal_ = task.stop_requested() ? refusal::canceled : refusal::closed;
        ++stats_.rejected;
        return false;
    }
    if (waiter.until_end_) {
        waiter.job_->outer_ = task.host();
    }
    if (host != nullptr) {
        // run() takes the caller's own slot, but where a parallel branch of the caller has it.
        const bool has_room = slot_is_free() || place_is_free();
        if (!has_room || (waiter.until_end_ && !host->has_guest_)) {
            return admit_as_guest(waiter, *host, task, resume);
        }
    }
    if (waiter.job_ == nullptr) {
        reserve_record();
    }
    if (slot_is_free()) {
        return begin_in_slot(waiter, task, resume);
    }
    if (place_is_free()) {
        enqueue(waiter);
        if (!waiter.until_end_) {
            return false;
        }
        if (host != nullptr) {
            host->claims_.push_back(waiter.claim_);
        }
        waiter.wait_for_end(*waiter.job_, task, resume, stop_policy::passed_on);
        return true;
    }
    static constexpr wait_kind kind{"a place in a pool", &submit_waiter::cancel_parked};
    waiter.suspend(task, resume, kind);
    park(waiter, waiter.job_);
    return true;
}

bool pool_core::begin_in_slot(submit_waiter& waiter, context& task,
                              std::coroutine_handle<> resume) noexcept {
    scheduler& loop = *loop_;
    const bool in_place = loop.in_place_depth < in_place_depth_max && loop.take_budget();
    job* const submitted = waiter.job_;
    job* granted = submitted;
    waiter.owns_job_ = false;
    if (submitted != nullptr) {
        count_admitted(*submitted);
        take_slot(*submitted);
    } else {
        posted_job& record = take_spare();
        record.fill(*waiter.ops_, waiter.closure_, ++stats_.submitted);
        granted = &record;
    }
    if (in_place) {
        ++loop.counters_ref().starts_in_place;
        ++loop.in_place_depth;
        granted->start();  // a detached job may be gone after this
        --loop.in_place_depth;
        if (!waiter.until_end_ || submitted->finished()) {
            return false;
        }
    } else {
        loop.make_ready(*granted);
        if (!waiter.until_end_) {
            // The tick's budget is spent: the submitter goes on behind the job.
            waiter.handle = resume;
            waiter.owner = &task;
            loop.make_ready(waiter);
            return true;
        }
    }
    waiter.wait_for_end(*submitted, task, resume, stop_policy::passed_on);
    return true;
}

// No slot and no place are free, or the caller wants to wait for the end: the caller's slot serves.
bool pool_core::admit_as_guest(submit_waiter& waiter, job& host, context& task,
                               std::coroutine_handle<> resume) {
    if (waiter.job_ == nullptr) {
        waiter.job_ = waiter.ops_->make_job(*this, waiter.closure_);
    }
    job& guest = *waiter.job_;
    count_admitted(guest);
    ++stats_.inlined;
    waiter.owns_job_ = false;
    guest.outer_ = task.host();
    return run_as_guest(guest, host, waiter, task, resume, stop_policy::passed_on);
}

bool pool_core::run_as_guest(job& guest, job& host, job_waiter& waiter, context& task,
                             std::coroutine_handle<> resume, stop_policy policy) noexcept {
    guest.slot_host_ = &host;
    if (host.has_guest_) {
        guest.state_ = job_state::waiting;
        host.guests_.push_back(guest);
        if (guest.deadlines_ != nullptr) {
            guest.deadlines_->arm();
        }
        waiter.wait_for_end(guest, task, resume, policy);
        return true;
    }
    host.has_guest_ = true;
    guest.state_ = job_state::granted;
    guest.attach(group_);
    scheduler& loop = *loop_;
    if (loop.in_place_depth >= in_place_depth_max || !loop.take_budget()) {
        loop.make_ready(guest);
        waiter.wait_for_end(guest, task, resume, policy);
        return true;
    }
    // Held meanwhile, so that a detached job is still there to tell whether it has ended.
    const bool was_held = std::exchange(guest.held_, true);
    ++loop.in_place_depth;
    begin(guest);
    --loop.in_place_depth;
    const bool ended = guest.finished();
    if (!ended) {
        waiter.wait_for_end(guest, task, resume, policy);
    }
    if (!was_held) {
        guest.drop();
    }
    return !ended;
}

// A queued job is to run on the slot of a job that waits for it, or that `by` is part of.
void pool_core::leave_queue(job& claimed, job& by) noexcept {
    queue_.remove(claimed);
    ++stats_.claimed;
    claimed.outer_ = &by;
}

// The turn on the slot of `host` is free, and no guest waits for it: of what tasks of `host` await,
// the first that is queued still leaves the queue. Null where there is none.
job* pool_core::next_claim(job& host) noexcept {
    while (!host.claims_.empty()) {
        job& target = *host.claims_.pop_front().target;
        if (target.state_ == job_state::queued) {
            job_waiter& waiting = *target.joiner_;
            waiting.target_claimed();
            leave_queue(target, *waiting.owner->host());
            target.slot_host_ = &host;
            return &target;
        }
    }
    return nullptr;
}

bool pool_core::join(join_waiter& waiter, context& task, std::coroutine_handle<> resume) noexcept {
    job& target = waiter.job_;
    if (target.finished()) {
        return false;
    }
    if (task.stop_requested() && waiter.policy_ == stop_policy::ends_wait) {
        waiter.was_canceled = true;
        return false;
    }
    if (task.host() != nullptr) {
        job* const host = host_of(task);
        if (host != nullptr && target.state_ == job_state::queued) {
            if (host->has_guest_) {
                host->claims_.push_back(waiter.claim_);
                waiter.wait_for_end(target, task, resume, waiter.policy_);
                return true;
            }
            leave_queue(target, *task.host());
            grant();
            // The host must neither go on nor end while its guest has the slot: so a stop does not
            // end this wait, but asks the guest to stop as well.
            const stop_policy policy =
                waiter.policy_ == stop_policy::ends_wait ? stop_policy::passed_on : waiter.policy_;
            return run_as_guest(target, *host, waiter, task, resume, policy);
        }
        if (job::waits_for(target, *task.host())) {
            waiter.refusal_ = refusal::would_deadlock;
            return false;
        }
    }
    waiter.wait_for_end(target, task, resume, waiter.policy_);
    return true;
}

}  // namespace weir::detail
