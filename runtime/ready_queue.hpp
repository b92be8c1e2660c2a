// The loop's queue of what can run now: a FIFO of nodes that live inside what they wake.
//
//     weir::detail::ready_queue ready;
//     ready.push(node);
//     ready.pop().handle.resume();
//
// Because nothing is allocated, waking cannot fail, and the queue is bounded by the number of live
// tasks. A node stands in the queue at most once.
//
// Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstddef>

#include "assert.hpp"

namespace weir {

class context;

namespace detail {

// What the loop runs next: `handle`, or, where that is null, `owner->start()`.
struct ready_node {
    ready_node* next = nullptr;
    std::coroutine_handle<> handle;
    context* owner = nullptr;  // the task on whose behalf this runs
};

class ready_queue {
  public:
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    void push(ready_node& node) noexcept {
        WEIR_DEBUG_ASSERT(node.next == nullptr && link_ != &node.next, "a node is queued once");
        *link_ = &node;
        link_ = &node.next;
        ++size_;
    }

    // The same at the front.
    void push_first(ready_node& node) noexcept {
        WEIR_DEBUG_ASSERT(node.next == nullptr && link_ != &node.next, "a node is queued once");
        node.next = head_;
        if (head_ == nullptr) {
            link_ = &node.next;
        }
        head_ = &node;
        ++size_;
    }

    [[nodiscard]] bool is_last(const ready_node& node) const noexcept {
        return link_ == &node.next;
    }

    // Requires !empty().
    [[nodiscard]] ready_node& front() const noexcept { return *head_; }

    // Requires !empty().
    ready_node& pop() noexcept {
        ready_node& node = *head_;
        head_ = node.next;
        if (head_ == nullptr) {
            link_ = &head_;
        }
        node.next = nullptr;
        --size_;
        return node;
    }

  private:
    ready_node* head_ = nullptr;
    ready_node** link_ = &head_;  // where the next pushed node is linked
    std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace weir
