#include "context.hpp"

#include "scheduler.hpp"

namespace weir {

void context::start() noexcept {
    WEIR_ASSERT(false, "a context without a start of its own was scheduled to start");
}

void context::request_stop() noexcept {
    if (stop_requested_) {
        return;
    }
    stop_requested_ = true;
    if (waiting_ != nullptr && waiting_->kind->cancel != nullptr) {
        waiting_->kind->cancel(*waiting_);
    }
    // A listener may unlink itself or others while it is told, so each is moved back before its
    // turn and the walk never holds a position.
    detail::intrusive_list<detail::stop_listener> untold;
    untold.splice_back(listeners_);
    while (!untold.empty()) {
        detail::stop_listener& listener = untold.pop_front();
        listeners_.push_back(listener);
        listener.on_stop();
    }
}

namespace detail {

void listed_waiter::cancel_in_list(waiter& self) noexcept {
    auto& listed = static_cast<listed_waiter&>(self);
    if (listed.is_linked()) {
        listed.unlink();
    }
    listed.was_canceled = true;
    listed.wake();
}

}  // namespace detail
}  // namespace weir
