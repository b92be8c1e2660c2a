#include "support/fake_driver.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <weir/runtime/assert.hpp>
#include <weir/runtime/scheduler.hpp>

namespace weir::test {

void fake_driver::attach() {
    ++attaches_;
    if (attach_error_ != nullptr) {
        std::rethrow_exception(std::exchange(attach_error_, nullptr));
    }
}

void fake_driver::start(detail::operation& op) noexcept {
    ++starts_;
    requests_.push_back(op.request);
    scripted next;
    if (!scripts_.empty()) {
        next = scripts_.front();
        scripts_.pop_front();
    }
    op.state = detail::operation_state::in_flight;
    pending_.push_back({.operation = &op,
                        .due = saturating_add(now_, next.after),
                        .outcome = next.outcome,
                        .ignores_cancel = next.ignores_cancel});
}

void fake_driver::cancel(detail::operation& op) noexcept {
    ++cancels_;
    op.cancel_asked = true;
    for (pending& entry : pending_) {
        if (entry.operation == &op && !entry.ignores_cancel) {
            entry.due = now_;
            entry.outcome = -ECANCELED;
        }
    }
}

bool fake_driver::has_work() const noexcept {
    const std::optional<time_point> due = next_due();
    return due && *due <= now_;
}

void fake_driver::poll() noexcept {
    ++polls_;
    deliver_due();
}

void fake_driver::wait(std::optional<time_point> deadline) noexcept {
    ++waits_;
    if (woken_.exchange(false)) {
        ++wakes_;
        return;
    }
    if (!has_work()) {
        const std::optional<time_point> due = next_due();
        WEIR_ASSERT(due || deadline, "this wait would last for ever");
        now_ = std::max(
            now_, std::min(due.value_or(time_point::max()), deadline.value_or(time_point::max())));
    }
    deliver_due();
}

void fake_driver::wake() noexcept { woken_.store(true); }

void fake_driver::deliver_due() noexcept {
    for (std::size_t index = 0; index < pending_.size();) {
        const pending entry = pending_[index];
        if (entry.due > now_) {
            ++index;
            continue;
        }
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
        ++completions_;
        entry.operation->outcome = entry.outcome;
        entry.operation->state = detail::operation_state::done;
        entry.operation->wake();
    }
}

std::optional<time_point> fake_driver::next_due() const noexcept {
    std::optional<time_point> earliest;
    for (const pending& entry : pending_) {
        earliest = earliest ? std::min(*earliest, entry.due) : entry.due;
    }
    return earliest;
}

void fake_driver::add_counters(loop_counters& counters) const noexcept {
    counters.sqes += static_cast<std::uint64_t>(starts_);
    counters.cqes += completions_;
    counters.wakes += wakes_;
}

}  // namespace weir::test
