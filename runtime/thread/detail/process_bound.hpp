// What owns threads belongs to the process that made it: fork(2) copies the memory and not the
// threads, so in a child nothing may wait for them, lock what they may hold, or join them.
//
// Thread: any.
#pragma once

#include <memory>
#include <utility>

#include "../errors.hpp"

namespace weir::detail {

// How many forks lie between this process and the first one that asked. Throws std::bad_alloc, the
// first time only.
[[nodiscard]] unsigned fork_count();

// What a child keeps for ever, where a leak checker finds it.
struct forkable {
    forkable() = default;
    forkable(const forkable&) = delete;
    forkable& operator=(const forkable&) = delete;

    forkable* next_abandoned = nullptr;

  protected:
    ~forkable() = default;
};

void abandon(forkable& what) noexcept;

// Owns a T, which derives from forkable. In a child of the process that made it, it is left as it
// is, and not destroyed.
template <class T>
class process_bound {
  public:
    template <class... Arguments>
    explicit process_bound(std::in_place_t, Arguments&&... arguments)
        : forks_(fork_count()),
          value_(std::make_unique<T>(std::forward<Arguments>(arguments)...)) {}
    process_bound(const process_bound&) = delete;
    process_bound& operator=(const process_bound&) = delete;
    ~process_bound() {
        if (is_foreign()) {
            abandon(*value_.release());
        }
    }

    [[nodiscard]] bool is_foreign() const noexcept { return fork_count() != forks_; }

    // Throws std::system_error (thread_errc::forked); `who` names the object and the call.
    [[nodiscard]] T& get(const char* who) const {
        if (is_foreign()) [[unlikely]] {
            throw_thread_error(thread_errc::forked, who);
        }
        return *value_;
    }

    [[nodiscard]] T* operator->() const noexcept { return value_.get(); }
    [[nodiscard]] T& operator*() const noexcept { return *value_; }

  private:
    const unsigned forks_;
    std::unique_ptr<T> value_;
};

}  // namespace weir::detail
