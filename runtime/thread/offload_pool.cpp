#include "offload_pool.hpp"

#include <atomic>
#include <mutex>
#include <stdexcept>

namespace weir {

namespace detail {

// The default pool, and how it is made.
class default_pool {
  public:
    static offload_pool& get() {
        if (offload_pool* const pool = made_here()) {
            return *pool;
        }
        const std::scoped_lock lock(mutex_);
        if (offload_pool* const pool = made_here()) {
            return *pool;
        }
        auto* const fresh = new offload_pool(options_, offload_pool::kind::detached);
        fresh->before_fork_ = pool_.load(std::memory_order_relaxed);
        // Pairs with the acquire load in made_here().
        pool_.store(fresh, std::memory_order_release);
        return *fresh;
    }

    static void set_options(const offload_options& options) {
        const offload_pool checks_them(options);
        const std::scoped_lock lock(mutex_);
        if (made_here() != nullptr) {
            throw std::logic_error(
                "set_default_offload_options: the default pool has been made already");
        }
        options_ = options;
    }

  private:
    // The pool, unless there is none or it is that of the parent process.
    static offload_pool* made_here() noexcept {
        // Pairs with the release store in get().
        offload_pool* const pool = pool_.load(std::memory_order_acquire);
        return pool != nullptr && !pool->core_.is_foreign() ? pool : nullptr;
    }

    static inline constinit std::atomic<offload_pool*> pool_{nullptr};
    static inline constinit std::mutex mutex_;           // held by who makes the pool
    static inline constinit offload_options options_{};  // guarded by mutex_
};

}  // namespace detail

offload_pool::offload_pool(const offload_options& options) : offload_pool(options, kind::joined) {}

offload_pool::offload_pool(const offload_options& options, kind threads)
    : core_(std::in_place, options, threads == kind::detached) {}

offload_pool::~offload_pool() = default;

offload_pool& default_offload_pool() { return detail::default_pool::get(); }

void set_default_offload_options(const offload_options& options) {
    detail::default_pool::set_options(options);
}

}  // namespace weir
