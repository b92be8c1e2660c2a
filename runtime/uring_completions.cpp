// The driver's half that takes completions: reaping, and telling the operations.
#include <array>
#include <cerrno>
#include <utility>

#include "detail/uring_tags.hpp"
#include "uring_driver.hpp"

namespace weir {

using detail::cancel_tag;
using detail::reap_batch;
using detail::wake_tag;

static_assert(detail::completion_has_buffer == IORING_CQE_F_BUFFER &&
              detail::completion_more == IORING_CQE_F_MORE &&
              detail::completion_nonempty == IORING_CQE_F_SOCK_NONEMPTY &&
              detail::completion_notification == IORING_CQE_F_NOTIF);

void uring_driver::finish(detail::operation& op, std::int32_t outcome,
                          std::uint32_t flags) noexcept {
    op.state = detail::operation_state::done;
    --in_flight_;
    deliver(op, outcome, flags);
}

void uring_driver::deliver(detail::operation& op, std::int32_t outcome,
                           std::uint32_t flags) noexcept {
    op.outcome = outcome;
    op.completion_flags = flags;
    if (op.completed != nullptr) {
        op.completed(op);
    } else if (op.state == detail::operation_state::done) {
        op.wake();
    }
}

void uring_driver::complete(const io_uring_cqe& cqe) noexcept {
    const auto index = static_cast<std::uint32_t>(cqe.user_data);
    if (index == wake_tag) {
        ++counters_.wakes;
        wake_armed_ = (cqe.flags & IORING_CQE_F_MORE) != 0;
        return;
    }
    if (index == cancel_tag) {
        return;  // found, gone already, or beyond recall: the operation's own completion tells
    }
    entry& slot = entries_[index];
    if (slot.operation == nullptr || slot.generation != cqe.user_data >> 32) {
        return;  // stale
    }
    detail::operation& op = *slot.operation;
    if ((cqe.flags & IORING_CQE_F_MORE) != 0) {
        deliver(op, cqe.res, cqe.flags);
        return;
    }
    if ((op.request.options & io_silent) != 0) [[unlikely]] {
        op.outcome = cqe.res;  // settle() delivers it in turn
        must_settle_ = true;
        return;
    }
    free_entry(index);
    finish(op, cqe.res, cqe.flags);
}

void uring_driver::free_entry(std::uint32_t index) noexcept {
    entry& slot = entries_[index];
    slot.operation = nullptr;
    ++slot.generation;
    slot.next_free = free_entry_;
    free_entry_ = index;
}

// Ends the silent operations whose requests the kernel had taken when `consumed` was its place in
// the submission queue: what it then had to say about them has been reaped since.
void uring_driver::settle(unsigned consumed) noexcept {
    while (!silent_.empty()) {
        auto& op = static_cast<detail::operation&>(silent_.front());
        if (static_cast<std::int32_t>(consumed - entries_[op.index].next_free) < 0) {
            return;
        }
        static_cast<void>(silent_.pop());
        ++settled_;
        free_entry(op.index);
        finish(op, op.outcome, 0);
    }
    must_settle_ = false;
}

unsigned uring_driver::take_completions(std::span<io_uring_cqe> into) noexcept {
    unsigned taken = 0;
    unsigned head = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
        if (taken == into.size()) {
            break;
        }
        into[taken] = *cqe;
        ++taken;
    }
    io_uring_cq_advance(&ring_, taken);
    counters_.cqes += taken;
    return taken;
}

// Starts loading what the completions are about: the kernel's work has pushed it out of the nearest
// cache, and the misses of a batch may overlap.
void uring_driver::fetch_operations(std::span<const io_uring_cqe> batch) const noexcept {
    constexpr std::size_t line = 64;
    for (const io_uring_cqe& cqe : batch) {
        const std::size_t index = static_cast<std::uint32_t>(cqe.user_data);
        if (index < entries_.size() && entries_[index].operation != nullptr) {
            const auto* const start = reinterpret_cast<const char*>(entries_[index].operation);
            __builtin_prefetch(start);
            __builtin_prefetch(start + line);
            __builtin_prefetch(start + 2 * line);
        }
    }
}

void uring_driver::reap() noexcept {
    std::array<io_uring_cqe, reap_batch> batch;
    unsigned taken = 0;
    do {
        const unsigned consumed = IO_URING_READ_ONCE(*ring_.sq.khead);
        const bool all_in_queue =
            (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) == 0;
        // By index: a completion may set others aside.
        for (std::size_t index = 0; index < set_aside_.size(); ++index) {
            const io_uring_cqe earlier = set_aside_[index];
            complete(earlier);
        }
        set_aside_.clear();
        while (!canceled_.empty()) {
            finish(static_cast<detail::operation&>(canceled_.pop()), -ECANCELED, 0);
        }
        taken = take_completions(batch);
        fetch_operations(std::span(batch).first(taken));
        for (const io_uring_cqe& cqe : std::span(batch).first(taken)) {
            complete(cqe);
        }
        // What stands aside now may speak of a silent operation; the next round delivers it.
        if (taken < batch.size() && all_in_queue && set_aside_.empty()) {
            settle(consumed);
        }
    } while (taken == batch.size() || !set_aside_.empty() || !canceled_.empty());
    if (!wake_armed_) {
        arm_wake();
    }
    submit_deferred();
}

}  // namespace weir
