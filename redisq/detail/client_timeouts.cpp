// The part of client_core that minds the time: of calls, and of connections that nobody uses.
#include <algorithm>

#include "client_core.hpp"

namespace weir::redisq::detail {

void call::expired(weir::detail::timer_node& timer) noexcept {
    call& self = static_cast<call&>(timer);
    self.core_->expire(self);
}

void client_core::start_timers(call& who) noexcept {
    if (options_.idle_timeout != duration::zero()) {
        last_used_ = who.since;
    }
    if (who.timeout_ == call_options::as_client) [[likely]] {
        if (!sweep_timer_.is_linked() && options_.command_timeout != duration::zero()) {
            loop().arm(sweep_timer_, saturating_add(who.since, options_.command_timeout));
        }
    } else if (who.timeout_ > duration::zero()) {
        loop().arm(who, saturating_add(loop().now(), who.timeout_));
    }
}

error client_core::out_of_time(const call& who) const {
    if (who.state_ == call_state::waiting && !is_ready_ && connect_error_) {
        return {make_error_code(errc::connect_failed), connect_error_->message()};
    }
    return error(errc::timed_out);
}

void client_core::expire(call& who) noexcept {
    ++counters_.timed_out;
    leave(who, out_of_time(who));
    check_closed();
}

// Ends calls whose time is up. Returns whether any are left that have the client's timeout; then
// the timer is armed for the first of them.
bool client_core::sweep(time_point now, bool& is_silent) noexcept {
    const auto is_left = [&](call& who) {
        if (who.timeout_ != call_options::as_client) {
            return false;
        }
        const time_point deadline = saturating_add(who.since, options_.command_timeout);
        if (deadline > now) {
            loop().arm(sweep_timer_, deadline);
            return true;
        }
        is_silent = is_silent ||
                    (who.state_ == call_state::queued && connection_->last_receive() <= who.since);
        ++counters_.timed_out;
        leave(who, out_of_time(who));
        return false;
    };
    if (connection_ != nullptr) {
        reply_queue& calls = connection_->calls();
        for (auto which = calls.begin_ticket(); which != calls.end_ticket(); ++which) {
            if (call* const who = calls.at(which).who; who != nullptr && is_left(*who)) {
                return true;
            }
        }
    }
    bool left = false;
    waiting_.for_each([&](weir::detail::listed_waiter& waiting) {
        left = left || is_left(static_cast<call&>(waiting));
    });
    return left;
}

void client_core::sweep_timer_fired() noexcept {
    bool is_silent = false;
    static_cast<void>(sweep(sweep_timer_.deadline, is_silent));
    if (is_silent && connection_ != nullptr) {
        // It may be gone without a word, which TCP takes a quarter of an hour to notice.
        connection_->fail(error(make_error_code(errc::connection_lost),
                                "connection lost: the server was silent for too long"));
    }
    check_closed();
}

void client_core::idle_timer_fired() noexcept {
    if (is_wanted_) {
        connect_soon();  // where there was no memory for it
        return;
    }
    if (connection_ == nullptr || !is_ready_ || options_.idle_timeout == duration::zero()) {
        return;
    }
    const time_point until = saturating_add(last_used_, options_.idle_timeout);
    // The last part of a streamed reply lies in the connection for as long as its user reads it.
    if (!connection_->calls().empty() || connection_->is_paused() || until > idle_timer_.deadline) {
        loop().arm(idle_timer_, std::max(until, saturating_add(idle_timer_.deadline,
                                                               options_.idle_timeout / 2)));
        return;
    }
    is_ready_ = false;
    connection_.reset();
    tell_lost(error(errc::connection_lost));
}

}  // namespace weir::redisq::detail
