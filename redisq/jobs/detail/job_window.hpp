// The bytes of one reply, shared by the jobs that came with it.
//
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

}  // namespace weir::redisq::detail
