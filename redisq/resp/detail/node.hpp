// A parsed reply: an array of nodes in preorder, 16 bytes each, over the bytes as they were
// received.
//
// A node is followed by the nodes of its elements. Attributes stand before the node that they
// belong to: a map that is marked, its elements, an end mark, the node. The node at index 0 belongs
// to no reply, so that every other node has one before it.
//
// Offsets count from the first byte of the reply, so that bytes may move.
// Thread: any; a value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "../type.hpp"

namespace weir::redisq::resp::detail {

class node {
  public:
    node() noexcept = default;

    static constexpr node text(type kind, std::size_t length, std::uint64_t offset) noexcept {
        return {static_cast<std::uint64_t>(kind), length, offset};
    }
    static constexpr node integer(std::int64_t value) noexcept {
        return {static_cast<std::uint64_t>(type::integer), 0, static_cast<std::uint64_t>(value)};
    }
    static constexpr node floating(double value) noexcept {
        return {static_cast<std::uint64_t>(type::floating), 0, std::bit_cast<std::uint64_t>(value)};
    }
    static constexpr node boolean(bool value) noexcept {
        return {static_cast<std::uint64_t>(type::boolean), 0, value ? 1U : 0U};
    }
    static constexpr node null() noexcept { return {static_cast<std::uint64_t>(type::null), 0, 0}; }
    static constexpr node aggregate(type kind, std::size_t elements) noexcept {
        return {static_cast<std::uint64_t>(kind), elements, 1};
    }
    static constexpr node attributes(std::size_t elements) noexcept {
        return {static_cast<std::uint64_t>(type::map) | attributes_mark, elements, 1};
    }
    // `span` is that of the attributes.
    static constexpr node attributes_end(std::uint64_t span) noexcept {
        return {static_cast<std::uint64_t>(type::null) | end_mark, 0, span};
    }

    [[nodiscard]] type kind() const noexcept { return static_cast<type>(head_ & 0xff); }
    [[nodiscard]] bool is_aggregate() const noexcept { return resp::is_aggregate(kind()); }
    [[nodiscard]] bool is_attributes() const noexcept { return (head_ & attributes_mark) != 0; }
    [[nodiscard]] bool is_attributes_end() const noexcept { return (head_ & end_mark) != 0; }
    // Bytes of a text, elements of an aggregate.
    [[nodiscard]] std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(head_ >> 32);
    }
    // The offset of a text; the value of what is none.
    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
    // How many nodes this one and its elements are.
    [[nodiscard]] std::uint64_t span() const noexcept { return is_aggregate() ? value_ : 1; }
    void set_span(std::uint64_t span) noexcept { value_ = span; }

  private:
    static constexpr std::uint64_t attributes_mark = 0x100;
    static constexpr std::uint64_t end_mark = 0x200;

    constexpr node(std::uint64_t head, std::size_t size, std::uint64_t value) noexcept
        : head_(static_cast<std::uint64_t>(size) << 32 | head), value_(value) {}

    // Two words without a char among them: a store of one would count as a store to anything.
    std::uint64_t head_;
    std::uint64_t value_;
};

static_assert(sizeof(node) == 16);

}  // namespace weir::redisq::resp::detail
