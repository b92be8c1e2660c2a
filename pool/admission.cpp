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

void job_waiter::wait_for_end(job& target, context& task, std::coroutine_handle<> resume,
                              stop_policy policy) noexcept {
    static constexpr wait_kind kinds[] = {
        {"a job", &end_wait}, {"a job", &pass_stop}, {"a job", nullptr}};
    WEIR_ASSERT(target.joiner_ == nullptr, "one task at a time waits for a job");
    target.joiner_ = this;
    edge_.target = &target;
    if (task.host() != nullptr) {
        task.host()->edges_.push_back(edge_);
    }
    suspend(task, resume, kinds[static_cast<std::size_t>(policy)]);
    if (task.stop_requested() && kind->cancel != nullptr) {
        kind->cancel(*this);
    }
}

void job_waiter::target_ended() noexcept {
    if (edge_.is_linked()) {
        edge_.unlink();
    }
    wake();
}

void job_waiter::end_wait(waiter& self) noexcept {
    auto& waiting = static_cast<job_waiter&>(self);
    waiting.was_canceled = true;
    waiting.edge_.target->joiner_ = nullptr;
    waiting.target_ended();
}

void job_waiter::pass_stop(waiter& self) noexcept {
    cancel_job(*static_cast<job_waiter&>(self).edge_.target);
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

// Visits each job once; those yet to visit are chained through search_next_. A job that submitted
// `target` by run(), or hosts it, waits for it as well; while the body of `target` is in its first
// step, no edge says so yet: who reaches such a job has reached `target`.
bool job::waits_for(job& from, job& target) noexcept {
    static constinit thread_local std::uint64_t searches = 0;
    const std::uint64_t wanted = ++searches;
    const std::uint64_t visited = ++searches;
    for (job* waiting = &target; waiting != nullptr;
         waiting = waiting->joiner_ == nullptr ? waiting->outer_ : nullptr) {
        waiting->search_mark_ = wanted;
    }
    bool found = from.search_mark_ == wanted;
    from.search_next_ = nullptr;
    for (job* to_visit = &from; to_visit != nullptr && !found;) {
        const job& at = *std::exchange(to_visit, to_visit->search_next_);
        at.edges_.for_each([&](const wait_edge& edge) {
            job& next = *edge.target;
            if (next.search_mark_ == wanted) {
                found = true;
            } else if (next.search_mark_ != visited) {
                next.search_mark_ = visited;
                next.search_next_ = to_visit;
                to_visit = &next;
            }
        });
    }
    return found;
}

// The innermost job of this pool that `task` is part of, directly or through jobs of other pools.
job* pool_core::host_of(const context& task) const noexcept {
    for (job* host = task.host(); host != nullptr; host = host->outer_) {
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
    if (host != nullptr && (waiter.until_end_ || (!slot_is_free() && !place_is_free()))) {
        return admit_as_guest(waiter, *host, task, resume);
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
            queue_.remove(target);
            ++stats_.claimed;
            target.outer_ = task.host();
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
