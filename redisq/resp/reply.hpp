// reply: a parsed reply to keep.
//
//     const weir::redisq::resp::reply kept = replies.take();
//     report(kept.view().text());
//
// One block holds the nodes and the bytes; of a large reply the bytes stay in the block that they
// were received in. A moved-from or default-constructed reply is a null.
//
// Lifetime: its views live as long as it does, also while it is moved. Thread: a value.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "detail/node.hpp"
#include "reply_view.hpp"

namespace weir::redisq::resp {

class reply {
  public:
    reply() noexcept = default;
    // A copy of what `source` sees, its attributes with it. Throws std::bad_alloc.
    explicit reply(reply_view source);
    reply(reply&& other) noexcept
        : nodes_(std::move(other.nodes_)),
          bytes_(std::move(other.bytes_)),
          root_(std::exchange(other.root_, nullptr)),
          base_(std::exchange(other.base_, nullptr)) {}
    reply& operator=(reply&& other) noexcept {
        nodes_ = std::move(other.nodes_);
        bytes_ = std::move(other.bytes_);
        root_ = std::exchange(other.root_, nullptr);
        base_ = std::exchange(other.base_, nullptr);
        return *this;
    }
    ~reply() = default;

    [[nodiscard]] reply_view view() const noexcept {
        return root_ != nullptr ? reply_view(root_, base_) : reply_view();
    }

  private:
    friend class parser;

    // Copies both. `root` is an index.
    reply(std::span<const detail::node> nodes, std::size_t root, std::string_view bytes);

    void keep_bytes(std::unique_ptr<char[]> block, const char* base) noexcept {
        bytes_ = std::move(block);
        base_ = base;
    }

    std::unique_ptr<detail::node[]> nodes_;  // the bytes behind them, unless bytes_ holds them
    std::unique_ptr<char[]> bytes_;
    const detail::node* root_ = nullptr;
    const char* base_ = nullptr;
};

}  // namespace weir::redisq::resp
