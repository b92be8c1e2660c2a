// offload_pool: threads that run blocking calls for the tasks of any number of loops.
//
//     weir::offload_options limits;
//     limits.threads_max = 2;
//     weir::offload_pool disk(limits);
//     const int sum = co_await weir::blocking(disk, add, 1, 2);
//
// Threads start on demand, up to threads_max, and stay until the pool ends: there are few of them,
// an idle one costs no CPU, and none has to watch a clock. They have all signals blocked. Calls
// start in the order in which they were awaited, whatever loop they come from; see blocking.hpp.
//
// The default pool is made by its first use. It is never destroyed: its threads end with the
// process, so one that is stuck in a call does not keep exit() from returning.
//
// fork(2): a child has no threads of its parent. There the default pool is made anew, an explicit
// one throws std::system_error (thread_errc::forked), and destroying it does nothing.
//
// Lifetime: outlives the tasks that wait for its calls (asserted); its destructor joins its
// threads. Errors: the constructor throws std::invalid_argument for an option out of its range.
// Thread: any; destroyed by one.
#pragma once

#include "detail/offload_core.hpp"

namespace weir {

namespace detail {
class default_pool;
}

class offload_pool {
  public:
    explicit offload_pool(const offload_options& options = {});
    ~offload_pool();
    offload_pool(const offload_pool&) = delete;
    offload_pool& operator=(const offload_pool&) = delete;

    // Throws std::system_error (thread_errc::forked).
    [[nodiscard]] offload_stats stats() const { return core_.get("offload_pool::stats").stats(); }

    // As given, with the default of threads_max filled in.
    [[nodiscard]] const offload_options& options() const noexcept { return core_->options(); }

    // For awaiters. Throws std::system_error (thread_errc::forked).
    [[nodiscard]] detail::offload_core& core() const { return core_.get("blocking"); }

  private:
    friend class detail::default_pool;
    enum class kind : bool { joined, detached };
    offload_pool(const offload_options& options, kind threads);

    detail::process_bound<detail::offload_core> core_;
    // A default pool's: the one of the parent process, which nobody destroys.
    const offload_pool* before_fork_ = nullptr;
};

// The pool of this process that blocking() uses unless it is given one. Throws std::bad_alloc.
[[nodiscard]] offload_pool& default_offload_pool();

// How the default pool will be made. Throws std::invalid_argument as the constructor does, and
// std::logic_error when the pool has been made already.
void set_default_offload_options(const offload_options& options);

}  // namespace weir
