// The production driver: io_uring, with the machine's steady clock or a manual one.
//
//     weir::event_loop_options options;
//     auto io = std::make_unique<weir::uring_driver>(options);   // as event_loop does itself
//     weir::event_loop loop(std::move(io), options);
//
// Operations in flight stand in a table; a completion carries the index and a generation of its
// entry, so that one which comes too late for its entry is recognised and dropped. The table's size
// is the cap on operations in flight; what exceeds it waits in order. Most of them wait for long,
// so the completion queue has room for a part of them only; an overflow is drained, not lost, and
// the cap keeps it from lasting for ever.
//
// Supported from Linux 6.1; older ones may run, untested: without deferred task work, say
// (uring_setup.cpp).
// Thread: see driver.hpp.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <span>
#include <vector>

#include "detail/uring_buffers.hpp"
#include "driver.hpp"
#include "scheduler.hpp"
#include "uring_setup.hpp"

namespace weir {

class uring_driver final : public driver {
  public:
    // Throws std::system_error: errc::ring_unavailable, or what eventfd(2) failed with.
    explicit uring_driver(const event_loop_options& options);
    ~uring_driver() override;

    void attach() override;
    [[nodiscard]] time_point now() const noexcept override;
    void start(detail::operation& op) noexcept override;
    void cancel(detail::operation& op) noexcept override;
    void hand_over(detail::operation& op) noexcept override;
    void hasten(detail::operation& op) noexcept override;
    [[nodiscard]] bool has_work() const noexcept override;
    void poll() noexcept override;
    void wait(std::optional<time_point> deadline) noexcept override;
    void wake() noexcept override;
    [[nodiscard]] std::size_t in_flight() const noexcept override { return in_flight_; }
    void add_counters(loop_counters& counters) const noexcept override;
    [[nodiscard]] io_features features() const noexcept override { return features_; }
    [[nodiscard]] result<std::uint16_t> add_buffer_group(std::byte* memory, std::uint32_t count,
                                                         std::uint32_t size) override {
        return buffers_.add(ring_, memory, count, size);
    }
    void remove_buffer_group(std::uint16_t group) noexcept override {
        buffers_.remove(ring_, group);
    }
    void provide_buffer(std::uint16_t group, std::uint16_t buffer) noexcept override {
        buffers_.provide(group, buffer);
    }

    // What the kernel granted.
    [[nodiscard]] const detail::ring_setup& setup() const noexcept { return setup_; }

  private:
    struct entry {
        detail::operation* operation = nullptr;
        std::uint32_t generation = 0;
        // While it is free, the next that is; else the submission queue's tail behind its request.
        std::uint32_t next_free = 0;
    };

    // As io_uring_get_sqe(3), less what other kinds of rings need.
    io_uring_sqe& next_sqe() noexcept {
        if (ring_.sq.sqe_tail - io_uring_smp_load_acquire(ring_.sq.khead) == setup_.entries)
            [[unlikely]] {
            make_room();
        }
        return ring_.sq.sqes[ring_.sq.sqe_tail++ & (setup_.entries - 1)];
    }
    [[nodiscard]] bool may_add_entry() noexcept;
    void start_or_defer(detail::operation& op) noexcept;
    void submit_now(detail::operation& op, std::uint32_t index) noexcept;
    [[nodiscard]] std::uint32_t take_entry() noexcept;
    void submit_deferred() noexcept;
    void free_entry(std::uint32_t index) noexcept;
    void settle(unsigned consumed) noexcept;
    void finish(detail::operation& op, std::int32_t outcome, std::uint32_t flags) noexcept;
    static void deliver(detail::operation& op, std::int32_t outcome, std::uint32_t flags) noexcept;
    void complete(const io_uring_cqe& cqe) noexcept;
    void arm_wake() noexcept;
    void make_room() noexcept;
    void set_aside() noexcept;
    unsigned take_completions(std::span<io_uring_cqe> into) noexcept;
    void fetch_operations(std::span<const io_uring_cqe> batch) const noexcept;
    void reap() noexcept;
    [[nodiscard]] bool has_completions() const noexcept {
        return !set_aside_.empty() || !canceled_.empty() || io_uring_cq_ready(&ring_) != 0;
    }
    void enter(unsigned wait_for, __kernel_timespec* timeout) noexcept;
    void idle_on_manual_clock(std::optional<time_point> deadline) noexcept;

    manual_clock* clock_;
    io_uring ring_{};
    detail::ring_setup setup_;
    io_features allowed_;   // what the options leave in use
    io_features features_;  // and the kernel offers
    detail::uring_buffers buffers_;
    int wake_fd_ = -1;
    bool wake_armed_ = false;
    std::vector<io_uring_cqe> set_aside_;  // reaped, to be delivered by poll() or wait()
    std::vector<entry> entries_;
    std::uint32_t entries_max_;
    std::uint32_t free_entry_;
    detail::ready_node* deferred_head_ = nullptr;
    detail::ready_node** deferred_tail_ = &deferred_head_;
    detail::ready_queue canceled_;  // while they were deferred; not told yet
    // Silent ones, in the order of their requests; `outcome` is theirs unless the kernel has
    // spoken.
    detail::ready_queue silent_;
    bool must_settle_ = false;  // somebody waits for one of them
    std::uint64_t settled_ = 0;
    std::size_t in_flight_ = 0;
    loop_counters counters_;
};

}  // namespace weir
