#include "uring_driver.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "detail/uring_features.hpp"
#include "detail/uring_requests.hpp"
#include "detail/uring_tags.hpp"
#include "event_loop.hpp"
#include "uring_compat.hpp"

namespace weir {

using detail::cancel_tag;
using detail::no_entry;
using detail::reap_batch;
using detail::tag_of;
using detail::wake_tag;

namespace {

// Of the table of operations; it grows as far as max_in_flight allows.
constexpr std::uint32_t entries_at_first = 1024;

// The kernel may map a new ring where one of another thread was, and orders the two. Neither the
// language nor ThreadSanitizer sees that; this says so.
std::atomic<std::uint64_t> rings_ended = 0;

}  // namespace

std::unique_ptr<driver> make_default_driver(const event_loop_options& options) {
    return std::make_unique<uring_driver>(options);
}

uring_driver::uring_driver(const event_loop_options& options)
    : clock_(options.clock),
      allowed_(options.features),
      entries_max_(options.max_in_flight),
      free_entry_(no_entry) {
    setup_ = detail::create_ring(ring_, options.ring_entries,
                                 detail::completions_for(options.max_in_flight));
    static_cast<void>(rings_ended.load(std::memory_order_acquire));
    try {
        entries_.reserve(std::min(entries_max_, entries_at_first));
        wake_fd_ = eventfd(0, EFD_CLOEXEC);
        if (wake_fd_ < 0) {
            throw std::system_error(errno, std::system_category(), "eventfd");
        }
    } catch (...) {
        io_uring_queue_exit(&ring_);
        throw;
    }
}

uring_driver::~uring_driver() {
    rings_ended.fetch_add(1, std::memory_order_release);
    io_uring_queue_exit(&ring_);
    close(wake_fd_);
}

void uring_driver::attach() {
    detail::enable_ring(ring_);
    const io_features offered = detail::features_of(ring_, setup_);
    features_.silent = offered.silent && allowed_.silent;
    features_.accept_multishot = offered.accept_multishot && allowed_.accept_multishot;
    features_.receive_multishot = offered.receive_multishot && allowed_.receive_multishot;
    features_.bundles = offered.bundles && allowed_.bundles && features_.receive_multishot;
    features_.zero_copy = offered.zero_copy && allowed_.zero_copy;
    arm_wake();
}

time_point uring_driver::now() const noexcept {
    return clock_ != nullptr ? clock_->now() : std::chrono::steady_clock::now();
}

// Submits what stands in the queue, until there is room. Where the kernel takes nothing (EBUSY)
// before completions are reaped, they are set aside for the next poll() or wait(): nothing may
// complete inside start().
[[gnu::noinline]] void uring_driver::make_room() noexcept {
    do {
        enter(0, nullptr);
        if (io_uring_sq_space_left(&ring_) == 0) {
            set_aside();
        }
    } while (io_uring_sq_space_left(&ring_) == 0);
}

void uring_driver::set_aside() noexcept {
    std::array<io_uring_cqe, reap_batch> batch;
    const unsigned count = take_completions(batch);
    set_aside_.insert(set_aside_.end(), batch.begin(), batch.begin() + count);
}

void uring_driver::arm_wake() noexcept {
    io_uring_sqe& sqe = next_sqe();
    // One request for many wakes, and nobody reads the counter: each write to it completes.
    io_uring_prep_poll_multishot(&sqe, wake_fd_, POLLIN);
    sqe.user_data = wake_tag;
    wake_armed_ = true;
}

// Whether the table has, or gets, room for one more; without memory, operations wait in line.
bool uring_driver::may_add_entry() noexcept {
    if (entries_.size() == entries_max_) {
        return false;
    }
    if (entries_.size() == entries_.capacity()) [[unlikely]] {
        try {
            entries_.reserve(std::min<std::size_t>(entries_max_, 2 * entries_.size()));
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    return true;
}

// Requires that one is free, or may be added.
std::uint32_t uring_driver::take_entry() noexcept {
    const std::uint32_t index = free_entry_;
    if (index == no_entry) {
        entries_.emplace_back();
        return static_cast<std::uint32_t>(entries_.size() - 1);
    }
    free_entry_ = entries_[index].next_free;
    return index;
}

inline void uring_driver::submit_now(detail::operation& op, std::uint32_t index) noexcept {
    entry& slot = entries_[index];
    slot.operation = &op;
    op.index = index;
    op.state = detail::operation_state::in_flight;
    io_uring_sqe& sqe = next_sqe();
    detail::describe(op.request, sqe);
    sqe.user_data = tag_of(index, slot.generation);
    slot.next_free = ring_.sq.sqe_tail;
    if ((op.request.options & io_silent) != 0) {
        op.outcome = static_cast<std::int32_t>(op.request.length);
        op.completion_flags = 0;
        silent_.push(op);
    }
}

void uring_driver::start(detail::operation& op) noexcept {
    ++in_flight_;
    const std::uint32_t index = free_entry_;
    if (index != no_entry && deferred_head_ == nullptr) [[likely]] {
        free_entry_ = entries_[index].next_free;
        submit_now(op, index);
    } else {
        start_or_defer(op);
    }
}

// Where no entry is free, or others wait in line already.
[[gnu::noinline]] void uring_driver::start_or_defer(detail::operation& op) noexcept {
    const bool room = free_entry_ != no_entry || may_add_entry();
    if (room && deferred_head_ == nullptr) {
        submit_now(op, take_entry());
        return;
    }
    ++counters_.deferred;
    must_settle_ = must_settle_ || !silent_.empty();  // their entries come free without a word
    op.state = detail::operation_state::deferred;
    *deferred_tail_ = &op;
    deferred_tail_ = &op.next;
}

void uring_driver::submit_deferred() noexcept {
    while (deferred_head_ != nullptr && (free_entry_ != no_entry || may_add_entry())) {
        auto& op = static_cast<detail::operation&>(*deferred_head_);
        deferred_head_ = op.next;
        if (deferred_head_ == nullptr) {
            deferred_tail_ = &deferred_head_;
        }
        op.next = nullptr;
        submit_now(op, take_entry());
        must_settle_ = must_settle_ || !silent_.empty();
    }
}

void uring_driver::hand_over(detail::operation& op) noexcept {
    if (op.state != detail::operation_state::in_flight) {
        return;
    }
    // Places in the queue are counted modulo 2^32: is what was submitted since then less than what
    // the kernel has not taken yet?
    const auto is_waiting = [this, tail = entries_[op.index].next_free] {
        return ring_.sq.sqe_tail - tail < ring_.sq.sqe_tail - IO_URING_READ_ONCE(*ring_.sq.khead);
    };
    while (is_waiting()) {
        enter(0, nullptr);
        if (is_waiting()) {
            set_aside();
        }
    }
}

void uring_driver::hasten(detail::operation& op) noexcept {
    must_settle_ = must_settle_ || op.state == detail::operation_state::in_flight;
}

void uring_driver::cancel(detail::operation& op) noexcept {
    if (op.cancel_asked || op.state == detail::operation_state::done) {
        return;
    }
    op.cancel_asked = true;
    if (op.state == detail::operation_state::in_flight) {
        if ((op.request.options & io_silent) != 0) {
            must_settle_ = true;  // it ends without waiting for anybody
            return;
        }
        io_uring_sqe& sqe = next_sqe();
        std::memset(&sqe, 0, sizeof sqe);
        sqe.opcode = IORING_OP_ASYNC_CANCEL;
        sqe.fd = -1;
        sqe.addr = tag_of(op.index, entries_[op.index].generation);
        sqe.user_data = cancel_tag;
        return;
    }
    for (detail::ready_node** link = &deferred_head_; *link != nullptr; link = &(*link)->next) {
        if (*link == &op) {
            *link = op.next;
            if (deferred_tail_ == &op.next) {
                deferred_tail_ = link;
            }
            // Told in the next poll() or wait(): nothing completes inside cancel().
            op.next = nullptr;
            canceled_.push(op);
            return;
        }
    }
}

bool uring_driver::has_work() const noexcept {
    return io_uring_sq_ready(&ring_) != 0 || has_completions() || must_settle_ ||
           (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) !=
               0;
}

void uring_driver::enter(unsigned wait_for, __kernel_timespec* timeout) noexcept {
    ++counters_.enters;
    counters_.sqes += io_uring_sq_ready(&ring_);
    if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0) {
        ++counters_.overflows;
    }
    int status = 0;
    if (timeout != nullptr) {
        io_uring_cqe* first = nullptr;
        status = io_uring_submit_and_wait_timeout(&ring_, &first, wait_for, timeout, nullptr);
    } else if (wait_for != 0) {
        status = io_uring_submit_and_wait(&ring_, wait_for);
    } else {
        status = io_uring_submit_and_get_events(&ring_);
    }
    // EINTR, EAGAIN and EBUSY pass: the loop comes again. ETIME is the deadline. EBADR says that
    // the kernel had to drop completions, after which no operation is certain to end.
    if (status < 0 && status != -EINTR && status != -EAGAIN && status != -EBUSY &&
        status != -ETIME) {
        detail::fatal("io_uring_enter failed: %s", std::system_category().message(-status).c_str());
    }
}

void uring_driver::poll() noexcept {
    if (io_uring_sq_ready(&ring_) != 0 ||
        (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
        enter(0, nullptr);
    }
    reap();
}

void uring_driver::wait(std::optional<time_point> deadline) noexcept {
    if (has_completions() || must_settle_ || (deadline && *deadline <= now())) {
        if (has_work()) {
            poll();
        }
        return;
    }
    if (clock_ != nullptr && deadline && clock_->auto_advance()) {
        idle_on_manual_clock(deadline);
        return;
    }
    if (clock_ != nullptr && deadline && *deadline <= clock_->now()) {
        poll();  // a task has moved the clock since the loop looked at it
        return;
    }
    if (!deadline || clock_ != nullptr) {
        enter(1, nullptr);
    } else {
        const duration length = std::max(*deadline - now(), duration::zero());
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
        __kernel_timespec timeout{};
        timeout.tv_sec = seconds.count();
        timeout.tv_nsec = (length - seconds).count();
        enter(1, &timeout);
    }
    reap();
}

// Virtual time passes only while nothing else happens: what has completed goes first.
void uring_driver::idle_on_manual_clock(std::optional<time_point> deadline) noexcept {
    const std::uint64_t before = counters_.cqes + settled_;
    if (has_work()) {
        poll();
    }
    if (counters_.cqes + settled_ == before) {
        clock_->advance_to(*deadline);
    }
}

void uring_driver::wake() noexcept {
    const std::uint64_t one = 1;
    // Cannot block: the counter would have to reach 2^64 - 1 first.
    static_cast<void>(::write(wake_fd_, &one, sizeof one));
}

void uring_driver::add_counters(loop_counters& counters) const noexcept {
    counters.enters += counters_.enters;
    counters.sqes += counters_.sqes;
    counters.cqes += counters_.cqes;
    counters.overflows += counters_.overflows;
    counters.deferred += counters_.deferred;
    counters.wakes += counters_.wakes;
}

}  // namespace weir
