#include "task.hpp"

namespace weir::detail {

void destroyed_while_running(const context& owner) noexcept {
    const char* const name = owner.name() != nullptr ? owner.name() : "(unnamed)";
    const waiter* const waiting = owner.waiting();
    fatal(
        "a task of \"%s\" was destroyed after it had started and before it ended, while it "
        "awaited %s; keep its owner alive until it has ended",
        name, waiting != nullptr ? waiting->kind->what : "nothing");
}

}  // namespace weir::detail
