// replies: what the commands of a pipeline or a transaction were answered, in order.
//
//     const weir::redisq::result<int> count = answers->get<int>(0);
//     for (std::size_t at = 0; at != answers->size(); ++at) { show((*answers)[at]); }
//
// All of them stand in one arena, which keeps its memory when it is used again: a warm one
// allocates nothing. An error reply is one of them and no error of the whole.
//
// Lifetime: views, and views of text that get() returns, live until the object is changed,
// destroyed or moved from. Thread: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "detail/plain_list.hpp"
#include "detail/value_of.hpp"
#include "errors.hpp"
#include "resp/reply_view.hpp"

namespace weir::redisq {

class replies {
  public:
    replies() = default;

    [[nodiscard]] std::size_t size() const noexcept { return roots_.size(); }
    [[nodiscard]] bool empty() const noexcept { return roots_.empty(); }

    // Requires index < size().
    [[nodiscard]] resp::reply_view operator[](std::size_t index) const noexcept {
        return {nodes_.data() + roots_[index], bytes_.data()};
    }

    // The same as a T, see resp/decode.hpp; the server's error, or wrong_reply_type.
    template <class T>
    [[nodiscard]] result<T> get(std::size_t index) const {
        return detail::value_of<T>((*this)[index]);
    }

    // The first error reply.
    [[nodiscard]] std::optional<error> first_error() const;

    // Keeps the memory.
    void clear() noexcept;
    // A copy of what `reply` sees, without the attributes of the whole. Throws std::bad_alloc, and
    // nothing has changed.
    void add(const resp::reply_view& reply);

  private:
    void add_tree(const resp::reply_view& reply);

    detail::plain_list<resp::detail::node> nodes_;
    detail::plain_list<char> bytes_;
    detail::plain_list<std::uint32_t> roots_;  // indexes into nodes_
};

}  // namespace weir::redisq
