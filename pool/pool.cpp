#include "pool.hpp"

namespace weir {
namespace {

event_loop& running_loop() noexcept {
    event_loop* const loop = event_loop::current();
    WEIR_ASSERT(loop != nullptr, "a pool without a loop is made on the thread of a running loop");
    return *loop;
}

}  // namespace

pool::pool(const pool_options& options) : pool(running_loop(), options) {}

pool::pool(event_loop& loop, const pool_options& options) : pool_core(loop, options) {}

}  // namespace weir
