// Who waits for the replies of one connection, in the order in which they come.
//
// A ring of entries: who, and how many replies are still to come for them. A caller who goes away
// leaves a tombstone: the replies are counted and dropped, so that no other caller gets them.
// Entries are named by a ticket, which counts all that ever stood here.
//
// Memory: one array that doubles and is given back at the end; a warm queue allocates nothing.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "../../runtime/assert.hpp"

namespace weir::redisq::detail {

class call;

class reply_queue {
  public:
    using ticket = std::uint64_t;

    struct entry {
        call* who = nullptr;  // null: a tombstone
        std::uint32_t replies = 0;
    };

    reply_queue() = default;

    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    // Entries, tombstones among them.
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(end_ - begin_);
    }
    // Entries that are no tombstones.
    [[nodiscard]] std::size_t callers() const noexcept { return callers_; }
    // Replies that are still to come.
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; }

    [[nodiscard]] ticket begin_ticket() const noexcept { return begin_; }
    [[nodiscard]] ticket end_ticket() const noexcept { return end_; }

    // Makes sure that the next push() cannot fail. Throws std::bad_alloc.
    void reserve_one() {
        if (size() == capacity_) [[unlikely]] {
            grow();
        }
    }

    // `who` waits for `replies`, 1 or more. Requires reserve_one().
    ticket push(call& who, std::uint32_t replies) noexcept {
        WEIR_DEBUG_ASSERT(size() < capacity_ && replies != 0, "room was made for what is pushed");
        entries_[end_ & (capacity_ - 1)] = {&who, replies};
        replies_ += replies;
        ++callers_;
        return end_++;
    }

    // Replies that nobody waits for. Requires reserve_one().
    void push_nobody(std::uint32_t replies) noexcept {
        entries_[end_ & (capacity_ - 1)] = {nullptr, replies};
        replies_ += replies;
        ++end_;
    }

    // The one that the next reply is for. Requires !empty().
    [[nodiscard]] entry& front() noexcept { return entries_[begin_ & (capacity_ - 1)]; }
    [[nodiscard]] entry& at(ticket which) noexcept {
        WEIR_DEBUG_ASSERT(which >= begin_ && which < end_, "an entry that stands here");
        return entries_[which & (capacity_ - 1)];
    }

    // Whether the next reply is for a call that takes it in parts; see call.hpp.
    [[nodiscard]] bool front_is_stream() const noexcept;

    // A reply for the front has come; returns whether it was its last one, and then the entry is
    // gone.
    bool took_reply() noexcept {
        --replies_;
        if (--front().replies != 0) {
            return false;
        }
        callers_ -= front().who != nullptr ? 1 : 0;
        ++begin_;
        return true;
    }

    // Leaves a tombstone. Requires that there is a caller.
    void abandon(ticket which) noexcept {
        at(which).who = nullptr;
        --callers_;
    }

    // Removes the front whatever it still waits for; for a connection that has ended.
    entry drop_front() noexcept {
        const entry dropped = front();
        replies_ -= dropped.replies;
        callers_ -= dropped.who != nullptr ? 1 : 0;
        ++begin_;
        return dropped;
    }

  private:
    void grow() {
        const std::size_t larger = capacity_ == 0 ? 64 : 2 * capacity_;
        auto fresh = std::make_unique<entry[]>(larger);
        for (ticket which = begin_; which != end_; ++which) {
            fresh[which & (larger - 1)] = entries_[which & (capacity_ - 1)];
        }
        entries_ = std::move(fresh);
        capacity_ = larger;
    }

    std::unique_ptr<entry[]> entries_;
    std::size_t capacity_ = 0;  // a power of two, or 0
    ticket begin_ = 0;
    ticket end_ = 0;
    std::size_t replies_ = 0;
    std::size_t callers_ = 0;
};

}  // namespace weir::redisq::detail
