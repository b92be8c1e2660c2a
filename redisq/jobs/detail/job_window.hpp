// The bytes of one reply, shared by the jobs that came with it.
//
// Lifetime: as long as somebody holds it: who made it, by a held_window, and each of its jobs.
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <utility>

#include "../../../runtime/frame_allocator.hpp"
#include "../../resp/reply.hpp"

namespace weir::redisq::detail {

class job_window : public weir::detail::recycled {
  public:
    // Held once by its maker.
    explicit job_window(resp::reply kept) noexcept : kept_(std::move(kept)) {}

    [[nodiscard]] resp::reply_view view() const noexcept { return kept_.view(); }
    void hold() noexcept { ++holders_; }
    void drop() noexcept {
        if (--holders_ == 0) {
            delete this;
        }
    }

  private:
    ~job_window() = default;

    resp::reply kept_;
    std::size_t holders_ = 1;
};

// Its maker's hold.
class held_window {
  public:
    explicit held_window(resp::reply kept) : window_(new job_window(std::move(kept))) {}
    held_window(const held_window&) = delete;
    held_window& operator=(const held_window&) = delete;
    ~held_window() { window_->drop(); }

    [[nodiscard]] job_window& operator*() const noexcept { return *window_; }
    [[nodiscard]] resp::reply_view view() const noexcept { return window_->view(); }

  private:
    job_window* window_;
};

}  // namespace weir::redisq::detail
