// The nodes of the reply that is being parsed: grows by doubling, and shrinks again after a peak.
//
// Invariant: the node at index 0 belongs to no reply. Thread: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "node.hpp"

namespace weir::redisq::resp::detail {

class node_list {
  public:
    static constexpr std::size_t nodes_min = 64;

    [[nodiscard]] node* data() noexcept { return nodes_.get(); }
    [[nodiscard]] const node* data() const noexcept { return nodes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    void set_size(std::size_t size) noexcept { size_ = size; }

    // Room for more nodes than there are now. Throws std::bad_alloc, and nothing is lost.
    void grow() {
        const std::size_t capacity = std::max(2 * capacity_, nodes_min);
        std::unique_ptr<node[]> larger = std::make_unique_for_overwrite<node[]>(capacity);
        if (capacity_ != 0) {
            std::memcpy(larger.get(), nodes_.get(), size_ * sizeof(node));
        }
        nodes_ = std::move(larger);
        capacity_ = capacity;
        nodes_[0] = node::null();
    }

    // Forgets the last reply.
    void restart() noexcept {
        if (capacity_ > shrink_above) {
            shrink_after_peak();
        }
        size_ = 1;
    }

  private:
    static constexpr std::size_t shrink_above = 1'024;
    static constexpr unsigned shrink_rounds = 256;

    void shrink_after_peak() noexcept {
        peak_ = std::max(peak_, size_);
        if (++rounds_ == shrink_rounds) {
            if (peak_ < capacity_ / 4) {
                nodes_.reset();
                capacity_ = 0;
            }
            peak_ = 0;
            rounds_ = 0;
        }
    }

    std::unique_ptr<node[]> nodes_;
    std::size_t size_ = 1;
    std::size_t capacity_ = 0;
    std::size_t peak_ = 0;
    unsigned rounds_ = 0;
};

}  // namespace weir::redisq::resp::detail
