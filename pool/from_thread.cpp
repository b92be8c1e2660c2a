// Jobs from other threads.
#include "../runtime/thread/detail/native_thread.hpp"
#include "detail/pool_core.hpp"

namespace weir::detail {

void pool_core::enter_from_thread() {
    if (scheduler::current() == loop_) {
        throw pool_error(pool_errc::would_deadlock, options_.name);
    }
    const pool_errc why = try_enter_from_thread();
    if (why == pool_errc{}) {
        return;
    }
    if (why == pool_errc::full) {
        // A thread that has a loop to run may be the one that the others wait for: two loops that
        // submit to each other's pools would block for ever.
        if (scheduler::current() != nullptr || loop_->is_own_thread()) {
            throw pool_error(pool_errc::would_deadlock, options_.name);
        }
        if (gate_.acquire()) {
            return;
        }
    }
    throw pool_error(pool_errc::closed, options_.name);
}

pool_errc pool_core::try_enter_from_thread() {
    bool closed = false;
    if (gate_.try_acquire(closed)) {
        return pool_errc{};
    }
    return closed ? pool_errc::closed : pool_errc::full;
}

// A submission has failed on its way, on any thread. Where the pool is closed, somebody may wait
// for it to be idle, so the loop takes the place back.
void pool_core::leave_from_thread() noexcept {
    if (gate_.release_unless_closed()) {
        return;
    }
    post_surely(*loop_, [this] {
        gate_.release();
        wake_if_idle();
    });
}

// On the loop's thread. Admission as for a task that is not part of the pool; a job that has to
// wait keeps its place in the gate until it is admitted.
void pool_core::arrive_from_thread(job& arrived, parked_item& parking) noexcept {
    if (closed_) {
        park(parking, &arrived);
        refuse_parked(parking, refusal::closed);
        wake_if_idle();
        return;
    }
    if (slot_is_free() || place_is_free()) {
        gate_.release();
        admit_now(arrived);
    } else {
        park(parking, &arrived);
    }
}

}  // namespace weir::detail
