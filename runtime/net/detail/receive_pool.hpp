// The receive buffers that all sockets of a loop share, and who waits for one.
//
// Where the driver has buffer groups, free buffers are the kernel's, which takes one when bytes
// have arrived: a connection that is silent holds none. It goes through what it has in turn, so it
// has no more of them than were needed at once so far (grow), and these stay in the caches; the
// others wait on a stack, the last one used on top. Elsewhere a receive takes one before it starts.
// Chunks that have arrived are chained by their buffers' numbers, so that a queue of them needs no
// memory of its own.
//
// Thread: the loop's. Lifetime: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../../event_loop.hpp"

namespace weir::detail {

// Told, once, that a buffer has come back; returns whether it has use for it.
class buffer_waiter : public list_node {
  public:
    virtual bool buffer_is_free() noexcept = 0;

  protected:
    buffer_waiter() = default;
    ~buffer_waiter() = default;
};

class receive_pool final : public loop_service {
  public:
    // Sizes by event_loop_options::receive_buffers and receive_buffer_size.
    // Throws std::bad_alloc, or std::system_error where the kernel refuses the group.
    explicit receive_pool(event_loop& loop);
    ~receive_pool() override;

    [[nodiscard]] event_loop& loop() const noexcept { return loop_; }
    [[nodiscard]] bool has_group() const noexcept { return group_.has_value(); }
    [[nodiscard]] std::uint16_t group() const noexcept { return *group_; }
    [[nodiscard]] bool bundles() const noexcept { return bundles_; }
    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint32_t buffer_size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t free() const noexcept { return free_; }

    [[nodiscard]] std::span<std::byte> bytes(std::uint16_t buffer) noexcept {
        return {memory_.get() + std::size_t{buffer} * size_, size_};
    }

    // With a group: the kernel has filled `buffer`, and with a bundle those behind it; returns the
    // one that it hands out next after `buffer`.
    void taken_by_kernel() noexcept {
        --free_;
        --with_kernel_;
        supply();
    }
    // The kernel found no buffer for a receive. Whether it gets one more than it had, so that the
    // receive may be tried again.
    [[nodiscard]] bool grow() noexcept;
    [[nodiscard]] std::uint16_t behind(std::uint16_t buffer) const noexcept {
        return order_[(position_[buffer] + 1) & (count_ - 1)];
    }

    // Without a group: a free buffer, or nothing.
    [[nodiscard]] std::optional<std::uint16_t> take() noexcept;

    // The buffer is free again; who waits first goes on.
    void give_back(std::uint16_t buffer) noexcept;
    // Lets the first go on who waits, if a buffer is free.
    void offer() noexcept;

    void wait_for_buffer(buffer_waiter& waiter) noexcept { waiters_.push_back(waiter); }

    // The chain of a receiver's chunks.
    std::uint16_t& next(std::uint16_t buffer) noexcept { return next_[buffer]; }
    std::uint32_t& filled(std::uint16_t buffer) noexcept { return filled_[buffer]; }

  private:
    static constexpr std::uint32_t supplied_at_first = 64;

    void supply() noexcept;

    event_loop& loop_;
    driver& io_;
    std::uint32_t count_;
    std::uint32_t size_;
    std::unique_ptr<std::byte[]> memory_;
    std::vector<std::uint16_t> next_;
    std::vector<std::uint32_t> filled_;
    std::vector<std::uint16_t> stack_;     // free, and not the kernel's
    std::vector<std::uint16_t> order_;     // by place in the kernel's ring
    std::vector<std::uint32_t> position_;  // in order_, by buffer
    std::uint32_t provided_ = 0;           // so far, modulo 2^32
    std::uint32_t free_ = 0;               // with the kernel and on the stack
    std::uint32_t with_kernel_ = 0;
    std::uint32_t supplied_ = 0;  // how many the kernel is to have, while there are so many
    std::optional<std::uint16_t> group_;
    bool bundles_ = false;
    intrusive_list<buffer_waiter> waiters_;
};

}  // namespace weir::detail
