#include "core_shelf.hpp"

#include <new>

namespace weir::redisq::detail {

client_handle core_shelf::take() {
    while (!spare_.empty()) {
        client_handle core = std::move(spare_.back());
        spare_.pop_back();
        if (core->is_ready()) {
            return core;
        }
    }
    client_handle fresh(new client_core(loop_, options_));
    if (is_closed_) {
        fresh->begin_close();
    }
    return fresh;
}

void core_shelf::give_back(client_handle core) noexcept {
    if (is_closed_ || spare_.size() == spare_max || !core->is_ready() || core->is_closed()) {
        return;
    }
    core->pin(false);
    try {
        spare_.push_back(std::move(core));
    } catch (const std::bad_alloc&) {
        return;  // then it ends here
    }
}

void core_shelf::close() noexcept {
    is_closed_ = true;
    spare_.clear();
}

}  // namespace weir::redisq::detail
