#include "stop.hpp"

#include "detail/post_surely.hpp"

namespace weir {

void stop_source::request_stop() noexcept {
    if (stop_requested_) {
        return;
    }
    stop_requested_ = true;
    detail::intrusive_list<detail::stop_listener> untold;
    untold.splice_back(listeners_);
    while (!untold.empty()) {
        detail::stop_listener& listener = untold.pop_front();
        listeners_.push_back(listener);
        listener.on_stop();
    }
}

void stop_source::add(detail::stop_listener& listener) noexcept {
    listeners_.push_back(listener);
    if (stop_requested_) {
        listener.on_stop();
    }
}

namespace detail {

std_stop_link::std_stop_link(const std::stop_token& token, context& target)
    : slot_(std::make_shared<target_slot>(&target)),
      callback_(token, forward{.loop = event_loop::current(), .slot = slot_}) {}

std_stop_link::~std_stop_link() { slot_->target = nullptr; }

void std_stop_link::forward::operator()() const noexcept {
    const std::shared_ptr<target_slot> to = slot;
    if (event_loop::current() == loop) {
        if (to->target != nullptr) {
            to->target->request_stop();
        }
        return;
    }
    // Not bounded by the inbox's capacity: a loop that destroys its callback waits for this
    // function, so waiting here for the loop to make room could wait for ever.
    post_surely(*loop, [to] {
        if (to->target != nullptr) {
            to->target->request_stop();
        }
    });
}

}  // namespace detail

std_stop_bridge::std_stop_bridge() {
    scheduler* const loop = scheduler::current();
    WEIR_ASSERT(loop != nullptr && loop->running() != nullptr,
                "a std_stop_bridge is made inside a running task");
    loop->running()->add_stop_listener(*this);
}

std_stop_bridge::~std_stop_bridge() {
    if (is_linked()) {
        unlink();
    }
}

}  // namespace weir
