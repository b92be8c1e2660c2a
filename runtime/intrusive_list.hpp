// A doubly linked list of nodes that live inside the objects they link: nothing is allocated, and
// an element leaves in O(1) without knowing its list. A node is in at most one list of a kind.
//
//     struct guest : weir::detail::list_node {};
//     weir::detail::intrusive_list<guest> guests;
//     guests.push_back(anna);
//     anna.unlink();   // needs no list
//
// Thread: one. Lifetime: an element unlinks itself before it dies; debug builds assert that.
#pragma once

#include "assert.hpp"

namespace weir::detail {

class list_node {
  public:
    list_node() = default;
    list_node(const list_node&) = delete;
    list_node& operator=(const list_node&) = delete;
    ~list_node() { WEIR_DEBUG_ASSERT(!is_linked(), "a list element dies while it is linked"); }

    [[nodiscard]] bool is_linked() const noexcept { return next_ != nullptr; }

    // Requires is_linked().
    void unlink() noexcept {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = nullptr;
        previous_ = nullptr;
    }

  private:
    template <class T>
    friend class intrusive_list;

    list_node* next_ = nullptr;
    list_node* previous_ = nullptr;
};

// T derives from list_node, unambiguously.
template <class T>
class intrusive_list {
  public:
    intrusive_list() noexcept { reset(); }
    intrusive_list(const intrusive_list&) = delete;
    intrusive_list& operator=(const intrusive_list&) = delete;
    ~intrusive_list() {
        WEIR_DEBUG_ASSERT(empty(), "a list dies before its elements");
        reset_links();
    }

    [[nodiscard]] bool empty() const noexcept { return root_.next_ == &root_; }

    void push_back(T& element) noexcept { insert_before(root_, element); }
    void push_front(T& element) noexcept { insert_before(*root_.next_, element); }

    // Before `position`, which is an element of this list.
    void insert(T& position, T& element) noexcept { insert_before(position, element); }

    // Requires !empty().
    [[nodiscard]] T& front() noexcept { return static_cast<T&>(*root_.next_); }

    T& pop_front() noexcept {
        T& element = front();
        static_cast<list_node&>(element).unlink();
        return element;
    }

    // Requires !empty().
    T& pop_back() noexcept {
        T& element = static_cast<T&>(*root_.previous_);
        static_cast<list_node&>(element).unlink();
        return element;
    }

    // Moves all elements of `other`, in order, behind those of this list.
    void splice_back(intrusive_list& other) noexcept {
        if (other.empty()) {
            return;
        }
        list_node* const first = other.root_.next_;
        list_node* const last = other.root_.previous_;
        list_node* const tail = root_.previous_;
        tail->next_ = first;
        first->previous_ = tail;
        last->next_ = &root_;
        root_.previous_ = last;
        other.reset();
    }

    // Calls `visit(T&)` for each element in order; `visit` may unlink the element it is given.
    template <class Visit>
    void for_each(Visit&& visit) const {
        for (list_node* node = root_.next_; node != &root_;) {
            list_node* const next = node->next_;
            visit(static_cast<T&>(*node));
            node = next;
        }
    }

    // The same as long as `visit` says true.
    template <class Visit>
    void for_each_while(Visit&& visit) const {
        for (list_node* node = root_.next_; node != &root_;) {
            list_node* const next = node->next_;
            if (!visit(static_cast<T&>(*node))) {
                return;
            }
            node = next;
        }
    }

  private:
    void insert_before(list_node& position, T& element) noexcept {
        list_node& node = element;
        WEIR_DEBUG_ASSERT(!node.is_linked(), "an element is in one list at a time");
        node.next_ = &position;
        node.previous_ = position.previous_;
        position.previous_->next_ = &node;
        position.previous_ = &node;
    }

    void reset() noexcept {
        root_.next_ = &root_;
        root_.previous_ = &root_;
    }

    void reset_links() noexcept {
        root_.next_ = nullptr;
        root_.previous_ = nullptr;
    }

    list_node root_;
};

}  // namespace weir::detail
