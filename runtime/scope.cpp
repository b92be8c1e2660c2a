#include "scope.hpp"

#include <typeinfo>

#include "detail/scope_child.hpp"
#include "detail/subtask.hpp"

namespace weir {
namespace {

scheduler& running_loop() noexcept {
    scheduler* const loop = scheduler::current();
    WEIR_ASSERT(loop != nullptr && loop->running() != nullptr,
                "a scope is made inside a running task");
    return *loop;
}

}  // namespace

scope::scope() noexcept : context(running_loop()) {
    attach(*loop().running());
    set_name("scope");
}

scope::~scope() {
    WEIR_ASSERT(live_ == 0, "a scope is joined before it is left: co_await scope.join()");
    if (spare_ != nullptr) {
        spare_->discard();
    }
    detach();
}

void scope::add_record(detail::promise_base& body, const detail::child_type& type,
                       const char* name) {
    last_queued_ = record();
    last_queued_->take(body, type, name);
    loop().make_ready(*last_queued_);
}

// One without a body. Throws std::bad_alloc.
detail::scope_child* scope::record() {
    return spare_ != nullptr ? std::exchange(spare_, nullptr) : new detail::scope_child(*this);
}

// Keeps one record that has no body any more, if its next body would find it as new; else it is
// gone.
void scope::retire(detail::scope_child& record) noexcept {
    if (spare_ == nullptr && record.stop_requested() == context::stop_requested()) {
        spare_ = &record;
    } else {
        record.discard();
    }
}

void scope::child_failed(std::exception_ptr error) noexcept {
    if (context::stop_requested() && detail::is_canceled(error)) {
        child_canceled_ = true;
    } else if (first_error_ == nullptr) {
        first_error_ = std::move(error);
        request_stop();  // siblings that end by it are no news to a later join()
    }
}

void scope::finish_join() {
    if (first_error_ != nullptr) {
        std::rethrow_exception(std::exchange(first_error_, nullptr));
    }
    if (child_canceled_ && !stopped_itself_) {
        throw canceled();
    }
}

namespace detail {

bool is_canceled(const std::exception_ptr& error) noexcept {
    if (error == nullptr) {
        return false;
    }
#ifdef __GLIBCXX__
    // Nearly always exactly that type; asking for it saves a second throw, about a microsecond.
    if (*error.__cxa_exception_type() == typeid(canceled)) {
        return true;
    }
#endif
    try {
        std::rethrow_exception(error);
    } catch (const canceled&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace detail
}  // namespace weir
