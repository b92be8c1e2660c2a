// A post that arrives, whatever becomes of the memory.
#pragma once

#include <new>

#include "../event_loop.hpp"

namespace weir::detail {

// Waits a millisecond, for memory to become free.
void wait_for_memory() noexcept;

// Posts without bound (Function copies without throwing). For what must arrive: where there is no
// memory, it waits until there is. Any thread.
template <class Function>
void post_surely(event_loop& loop, Function function) noexcept {
    while (true) {
        try {
            loop.post_urgent(function);
            return;
        } catch (const std::bad_alloc&) {
            wait_for_memory();
        }
    }
}

}  // namespace weir::detail
