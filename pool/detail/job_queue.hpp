// The pool's queue: a ring of pointers, allocated once, from which any element leaves in O(1).
//
// A removed element leaves an empty place behind. The ring has at least twice as many places as it
// may hold elements, so that closing the gaps, when the ring is full of them, is O(1) per removal.
//
// Invariants: size_ counts the non-empty places in [head_, tail_); an element's position() is its
// place; positions only grow, and a place is its position modulo the ring.
// Thread: the loop's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "../../runtime/assert.hpp"

namespace weir::detail {

// Element has position() and set_position(std::uint64_t).
template <class Element>
class job_queue {
  public:
    // Throws std::bad_alloc.
    explicit job_queue(std::size_t capacity)
        : capacity_(capacity),
          mask_(capacity == 0 ? 0 : std::bit_ceil(2 * capacity) - 1),
          places_(capacity == 0 ? nullptr
                                : std::make_unique_for_overwrite<Element*[]>(mask_ + 1)) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }

    // Requires !full().
    void push(Element& element) noexcept {
        WEIR_DEBUG_ASSERT(!full(), "a full queue takes nothing");
        if (tail_ - head_ > mask_) [[unlikely]] {
            close_gaps();
        }
        element.set_position(tail_);
        places_[tail_ & mask_] = &element;
        ++tail_;
        ++size_;
    }

    // The oldest element, or null.
    Element* pop() noexcept {
        while (head_ != tail_) {
            Element* const element = places_[head_ & mask_];
            ++head_;
            if (element != nullptr) {
                --size_;
                return element;
            }
        }
        return nullptr;
    }

    // Requires that `element` is queued here.
    void remove(Element& element) noexcept {
        Element*& place = places_[element.position() & mask_];
        WEIR_ASSERT(place == &element, "a queued job knows its place");
        place = nullptr;
        --size_;
    }

    // Calls visit(const Element&) in order.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (std::uint64_t at = head_; at != tail_; ++at) {
            if (const Element* const element = places_[at & mask_]) {
                visit(*element);
            }
        }
    }

  private:
    void close_gaps() noexcept {
        std::uint64_t to = head_;
        for (std::uint64_t from = head_; from != tail_; ++from) {
            if (Element* const element = places_[from & mask_]) {
                element->set_position(to);
                places_[to & mask_] = element;
                ++to;
            }
        }
        tail_ = to;
    }

    std::size_t capacity_;
    std::size_t size_ = 0;
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0;
    std::uint64_t mask_;
    std::unique_ptr<Element*[]> places_;
};

}  // namespace weir::detail
