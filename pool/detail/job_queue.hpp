// The pool's queue: a ring of places, allocated once, from which any job leaves in O(1).
//
// A removed job leaves an empty place behind. The ring has a quarter more places than it may hold
// elements, so that closing the gaps, when the ring is full of them, is O(1) per removal.
//
// Places are taken in order and two cache lines each, so the processor fetches ahead what starts
// next, which matters when thousands wait and each has long left the cache.
//
// Invariants: size_ counts the non-empty places among the span_ places from head_ on; a queued
// job's position() is its place. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "closure.hpp"

namespace weir::detail {

class job_queue {
  public:
    // Throws std::bad_alloc.
    explicit job_queue(std::size_t capacity);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }

    // Both require !full(). The closure is moved from.
    void push(job& queued) noexcept;
    void push(const closure_ops& ops, void* closure, std::uint64_t id) noexcept {
        queue_place& place = next_place();
        place.ops = &ops;
        place.id = id;
        ops.move(closure, place.closure);
    }

    // The oldest element, or null. Its owner moves it out and then calls pop_front().
    [[nodiscard]] queue_place* front() noexcept {
        while (span_ != 0) {
            queue_place& place = places_[head_];
            if (place.ops != nullptr || place.held != nullptr) {
                return &place;
            }
            skip_head();
        }
        return nullptr;
    }
    void pop_front() noexcept {
        --size_;
        skip_head();
    }

    // Requires that `queued` is queued here.
    void remove(job& queued) noexcept;

    // Calls visit(const queue_place&) in order.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t step = 0, at = head_; step < span_; ++step, at = after(at)) {
            if (places_[at].ops != nullptr || places_[at].held != nullptr) {
                visit(places_[at]);
            }
        }
    }

  private:
    [[nodiscard]] std::size_t after(std::size_t at) const noexcept {
        return at + 1 == ring_size_ ? 0 : at + 1;
    }
    void skip_head() noexcept {
        head_ = after(head_);
        --span_;
    }
    queue_place& next_place() noexcept {
        if (span_ == ring_size_) [[unlikely]] {
            close_gaps();
        }
        queue_place& place = places_[tail_];
        tail_ = after(tail_);
        ++span_;
        ++size_;
        return place;
    }
    void close_gaps() noexcept;

    std::size_t capacity_;
    std::size_t ring_size_;
    std::size_t size_ = 0;
    std::size_t span_ = 0;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
    std::unique_ptr<queue_place[]> places_;
};

}  // namespace weir::detail
