// Closing, draining, stopping.
#include <algorithm>

#include "../runtime/this_task.hpp"
#include "../runtime/with_timeout.hpp"
#include "detail/idle_awaiter.hpp"
#include "detail/pool_core.hpp"

namespace weir::detail {

bool pool_core::idle() const noexcept {
    return running_ == 0 && queue_.empty() && parked_.empty() && gate_.idle();
}

void pool_core::wake_if_idle() noexcept {
    if (!idle_waiters_.empty() && idle()) {
        wake_all(idle_waiters_);
    }
}

void pool_core::check_not_inside(const context& task) const {
    if (host_of(task) != nullptr) {
        throw pool_error(pool_errc::would_deadlock, options_.name);
    }
}

void pool_core::close() noexcept {
    if (closed_) {
        return;
    }
    closed_ = true;
    gate_.close();
    while (!parked_.empty()) {
        refuse_parked(parked_.front(), refusal::closed);
    }
    wake_if_idle();
}

task<> pool_core::drain() {
    check_not_inside(co_await context_awaiter());
    close();
    idle_awaiter until_idle(*this, true);
    co_await until_idle;
}

// What was admitted and has not begun, oldest first: what has a slot, waits for its turn on another
// job's, or is queued.
std::vector<job_info> pool_core::unstarted_jobs() const {
    std::vector<job_info> found;
    group_.for_each_listener([&](const stop_listener& listener) {
        const auto& admitted = static_cast<const job&>(listener);
        if (admitted.state() == job_state::granted) {
            found.push_back(admitted.info());
        }
        admitted.guests_.for_each([&](const job& waiting) { found.push_back(waiting.info()); });
    });
    queue_.for_each([&](const queue_place& place) {
        found.push_back(place.ops == nullptr ? place.held->info() : job_info{.id = place.id});
    });
    std::ranges::sort(found, {}, &job_info::id);
    return found;
}

// What has not begun is canceled, what runs is asked to stop.
void pool_core::stop_all() noexcept {
    close();
    stopping_ = true;
    while (queue_place* const place = queue_.front()) {
        if (place->ops == nullptr) {
            job& queued = *place->held;
            queue_.pop_front();
            end_unstarted(queued, refusal::canceled);
            continue;
        }
        ++stats_.canceled;
        ++never_started_;
        place->ops->destroy(place->closure);
        queue_.pop_front();
    }
    group_.request_stop();
    wake_if_idle();
}

// Where memory for the names is missing, the pool is closed and no more.
task<std::vector<job_info>> pool_core::stop() {
    check_not_inside(co_await context_awaiter());
    close();
    std::vector<job_info> unstarted = unstarted_jobs();
    stop_all();
    idle_awaiter until_idle(*this, false);
    co_await until_idle;
    co_return unstarted;
}

// Once the time is up, the pool is stopped whether or not there is memory for the names.
task<drain_report> pool_core::drain_for(duration length) {
    check_not_inside(co_await context_awaiter());
    drain_report report;
    try {
        co_await with_timeout(length, drain());
        report.drained = true;
    } catch (const timed_out&) {
        report.drained = false;
    }
    if (!report.drained) {
        std::exception_ptr nameless;
        try {
            report.unstarted = unstarted_jobs();
        } catch (...) {
            nameless = std::current_exception();
        }
        stop_all();
        idle_awaiter until_idle(*this, false);
        co_await until_idle;
        if (nameless != nullptr) {
            std::rethrow_exception(nameless);
        }
    }
    co_return report;
}

}  // namespace weir::detail
