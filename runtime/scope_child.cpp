#include "detail/scope_child.hpp"

#include <new>

#include "scheduler.hpp"
#include "scope.hpp"

namespace weir::detail {

scope_child::scope_child(scope& owner) noexcept : context(owner.loop(), owner), owner_(owner) {}

void scope_child::start() noexcept {
    if (owner_.last_queued_ == this) {
        owner_.last_queued_ = nullptr;
    }
    while (runs_to_its_end()) {
        if (next_ == nullptr || (stop_requested() && !owner_.stop_requested())) {
            pass_on();  // a stop was meant for the one that has ended, not for those behind it
            owner_.child_ended();
            owner_.retire(*this);
            return;
        }
        take_next();
        owner_.child_ended();
        if (!loop().goes_on()) {
            return loop().make_ready_first(*this);
        }
    }
    pass_on();
}

void scope_child::on_done() noexcept {
    end_body();
    owner_.child_ended();
    owner_.retire(*this);
}

// Begins the body; false when that waits now.
bool scope_child::runs_to_its_end() noexcept {
    switch (type_->begin(*this, *body_)) {
        case begun::ended:
            [[likely]] body_ = nullptr;
            return true;
        case begun::failed:
            end_body();
            return true;
        case begun::waiting:
            break;
    }
    return false;
}

void scope_child::end_body() noexcept {
    if (std::exception_ptr error = type_->end(*std::exchange(body_, nullptr))) [[unlikely]] {
        owner_.child_failed(std::move(error));
    }
}

std::size_t scope_child::followers() const noexcept {
    std::size_t count = 0;
    for (promise_base* each = next_; each != nullptr; each = each->parked().next) {
        ++count;
    }
    return count;
}

// Takes the first that follows for its own body.
void scope_child::take_next() noexcept {
    promise_base& body = *next_;
    const promise_base::place_in_line place = body.parked();
    next_ = place.next;
    if (next_ == nullptr) {
        last_ = nullptr;
    }
    take(body, *place.type, nullptr);
}

// Hands those that follow to another record, whose turn is next: this one is in use.
void scope_child::pass_on() noexcept {
    if (next_ == nullptr) {
        return;
    }
    try {
        scope_child* const other = owner_.record();
        other->next_ = std::exchange(next_, nullptr);
        other->last_ = std::exchange(last_, nullptr);
        other->take_next();
        loop().make_ready_first(*other);
    } catch (const std::bad_alloc&) {
        const std::exception_ptr error = std::current_exception();
        while (next_ != nullptr) {
            const promise_base::place_in_line place = next_->parked();
            place.type->end(*std::exchange(next_, place.next));
            owner_.child_failed(error);
            owner_.child_ended();
        }
        last_ = nullptr;
    }
}

}  // namespace weir::detail
