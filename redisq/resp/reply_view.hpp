// reply_view: a cursor into a parsed reply.
//
//     for (const weir::redisq::resp::reply_view element : view) {
//         use(element.kind() == weir::redisq::resp::type::integer ? element.integer() : 0);
//     }
//
// A view is two pointers: copy it. Asking it for what its type does not have gives an empty text,
// 0 or no elements, for the type is the peer's choice: look at kind(), or use decode().
//
// Lifetime: as long as what it looks into: a `reply`, or a parser until its next prepare() or
// next(). A default-constructed view is a null for ever. Thread: any, as a reader.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "detail/node.hpp"
#include "type.hpp"

namespace weir::redisq::resp {

class reply_view {
  public:
    class iterator;

    reply_view() noexcept : reply_view(&nothing_[1], nullptr) {}

    [[nodiscard]] type kind() const noexcept { return node_->kind(); }
    [[nodiscard]] bool is_null() const noexcept { return kind() == type::null; }
    // Of both kinds.
    [[nodiscard]] bool is_error() const noexcept {
        return kind() == type::error || kind() == type::bulk_error;
    }
    [[nodiscard]] bool is_aggregate() const noexcept { return node_->is_aggregate(); }

    // Of strings, errors and big numbers; of a verbatim string without its format; else empty.
    [[nodiscard]] std::string_view text() const noexcept {
        return has_text() ? std::string_view(base_ + node_->value(), node_->size())
                          : std::string_view();
    }
    // The three characters of a verbatim string, "txt" or "mkd"; else empty.
    [[nodiscard]] std::string_view verbatim_format() const noexcept {
        return kind() == type::verbatim_string
                   ? std::string_view(base_ + node_->value() - verbatim_prefix, 3)
                   : std::string_view();
    }
    // Else 0.
    [[nodiscard]] std::int64_t integer() const noexcept {
        return kind() == type::integer ? static_cast<std::int64_t>(node_->value()) : 0;
    }
    [[nodiscard]] double floating() const noexcept {
        return kind() == type::floating ? std::bit_cast<double>(node_->value()) : 0;
    }
    [[nodiscard]] bool boolean() const noexcept {
        return kind() == type::boolean && node_->value() != 0;
    }

    // Elements; a map has two for each pair.
    [[nodiscard]] std::size_t size() const noexcept { return is_aggregate() ? node_->size() : 0; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t pairs() const noexcept { return size() / 2; }

    // The elements in their order; of a map each key before its value.
    [[nodiscard]] iterator begin() const noexcept;
    [[nodiscard]] iterator end() const noexcept;
    // Requires index < size(). A step where no element holds others, else `index` steps.
    [[nodiscard]] reply_view operator[](std::size_t index) const noexcept;

    // What the peer sent along: a map.
    [[nodiscard]] std::optional<reply_view> attributes() const noexcept;

    // For the library: `root` has a node before it, and its offsets count from `base`.
    reply_view(const detail::node* root, const char* base) noexcept : node_(root), base_(base) {}
    [[nodiscard]] const detail::node& root() const noexcept { return *node_; }
    [[nodiscard]] const char* base() const noexcept { return base_; }

  private:
    static constexpr std::size_t verbatim_prefix = 4;  // "txt:"
    static constexpr detail::node nothing_[2] = {detail::node::null(), detail::node::null()};

    [[nodiscard]] bool has_text() const noexcept {
        static constexpr unsigned texts = 1U << static_cast<unsigned>(type::simple_string) |
                                          1U << static_cast<unsigned>(type::error) |
                                          1U << static_cast<unsigned>(type::bulk_string) |
                                          1U << static_cast<unsigned>(type::big_number) |
                                          1U << static_cast<unsigned>(type::bulk_error) |
                                          1U << static_cast<unsigned>(type::verbatim_string);
        return (texts >> static_cast<unsigned>(kind()) & 1U) != 0;
    }

    const detail::node* node_;
    const char* base_;
};

// Goes forward, and may be copied; what it points to is a view of its own.
class reply_view::iterator {
  public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = reply_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = reply_view;

    iterator() noexcept = default;

    reply_view operator*() const noexcept { return {element(), base_}; }
    iterator& operator++() noexcept {
        const detail::node* const passed = element();
        at_ = passed + passed->span();
        return *this;
    }
    iterator operator++(int) noexcept {
        const iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

  private:
    friend class reply_view;

    iterator(const detail::node* at, const char* base) noexcept : at_(at), base_(base) {}

    // Behind the attributes of the element, where it has some.
    [[nodiscard]] const detail::node* element() const noexcept {
        return at_->is_attributes() ? at_ + at_->span() + 1 : at_;
    }

    const detail::node* at_ = nullptr;
    const char* base_ = nullptr;
};

inline reply_view::iterator reply_view::begin() const noexcept {
    return {is_aggregate() ? node_ + 1 : node_, base_};
}

inline reply_view::iterator reply_view::end() const noexcept {
    return {is_aggregate() ? node_ + node_->span() : node_, base_};
}

}  // namespace weir::redisq::resp
