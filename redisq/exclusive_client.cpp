#include "exclusive_client.hpp"

#include <new>

namespace weir::redisq {

void exclusive_client::give_back() noexcept {
    if (core_ == nullptr || !core_->is_ready() || !core_->is_unused()) {
        return;
    }
    try {
        // DISCARD is refused where there is no MULTI.
        resp::command_buffer forget;
        forget.add("DISCARD");
        forget.add("UNWATCH");
        core_->send_for_nobody(forget);
    } catch (const std::bad_alloc&) {
        return;  // the connection goes, and all that it remembers
    }
    shelf_->give_back(std::move(core_));
}

}  // namespace weir::redisq
