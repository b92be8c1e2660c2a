// What a socket has to send: the queue that gathers the writes of a tick, and one large write.
//
// At most one send is in flight, so that bytes keep their order: first what stands in the queue,
// then the large write, straight from its owner's memory. Memory for a send, with its operation, is
// taken when there is something to send and given back when that has gone (outgoing): an idle
// socket holds none, and the next socket finds it in the cache.
//
// What was queued is first sent as far as it fits at once, which the kernel tells of only when
// something is left (io_silent); the rest is sent by a request that waits. Which one is in flight:
//   nothing   pump() starts the next
//   queued    `flying_`, what the queue held when it was started
//   direct    the large write; `flying_` holds its operation only
// An error that is not a cancel is final: what is queued is dropped, and all later calls fail with
// it.
//
// Thread: the loop's. Lifetime: destroyed when nothing is in flight.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include "../../detail/wait_list.hpp"
#include "../../driver.hpp"
#include "../../scheduler.hpp"
#include "outgoing.hpp"

namespace weir::detail {

// A write whose bytes stay where they are until all have been sent.
struct direct_write : waiter {
    bool begun = false;  // part of it has been sent
    std::span<const std::byte> rest;
    std::error_code error;
};

// Told when a socket has sent what it had.
struct idle_target {
    explicit idle_target(void (*on_idle)(idle_target&) noexcept) noexcept : action(on_idle) {}
    void (*action)(idle_target&) noexcept;
};

class sender {
  public:
    // A write of at least so many bytes is not copied.
    static constexpr std::size_t direct_min = 16'384;
    static constexpr std::size_t queue_max = 65'536;

    sender(scheduler& loop, int fd) noexcept
        : loop_(loop), fd_(fd), may_be_silent_(loop.io().features().silent) {}
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    ~sender();

    [[nodiscard]] std::error_code error() const noexcept {
        return has_failed_ ? error_ : std::error_code();
    }
    [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }
    [[nodiscard]] bool is_idle() const noexcept {
        return flying_ == nullptr && !has_more() && !is_held_;
    }

    // Queues all of `bytes`, or returns false: too many, no room, or no memory.
    [[nodiscard]] bool try_queue(std::span<const std::byte> bytes) noexcept;

    // Sends write.rest behind what is queued; wakes the waiter when that is done or has failed.
    void send_directly(direct_write& write) noexcept;
    void cancel(direct_write& write) noexcept;

    // Starts the next send, if there is one and none is in flight.
    void pump() noexcept;

    // Sends what is queued; wakes `waiting` when everything has been sent, or nothing more will be.
    void flush(listed_waiter& waiting) noexcept;

    [[nodiscard]] bool in_flight() const noexcept { return in_flight_ != flight::nothing; }
    [[nodiscard]] bool has_more() const noexcept { return queue_ != nullptr || direct_ != nullptr; }

    // Sends of at least so many bytes are not copied by the kernel either; SIZE_MAX: none.
    void set_zero_copy_min(std::size_t bytes) noexcept {
        zero_copy_min_ = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, no_zero_copy));
    }

    // Between the two, somebody else sends on the socket: what is written waits. Requires
    // is_idle().
    void hold() noexcept { is_held_ = true; }
    void let_go() noexcept {
        is_held_ = false;
        pump();
    }
    // The peer has seen a part of something that will not be completed.
    void break_with(std::error_code why) noexcept;

    // The socket goes. Sends what it takes at once, where nothing is in flight; then drops the
    // rest.
    void send_what_fits() noexcept;
    // Asks the send in flight to end; the queue is dropped.
    void give_up() noexcept;

    // Calls target.action(target) when nothing is in flight any more; for an owner that goes.
    void when_idle(idle_target& target) noexcept { idle_target_ = &target; }

    [[nodiscard]] scheduler& loop() const noexcept { return loop_; }

  private:
    static constexpr std::uint32_t no_zero_copy = UINT32_MAX;
    enum class flight : std::uint8_t { nothing, queued, direct };

    [[nodiscard]] bool is_waited_for() const noexcept {
        return direct_ != nullptr || idle_target_ != nullptr || !flushers_.empty();
    }
    [[nodiscard]] bool is_for_zero_copy(std::size_t size) const noexcept {
        return size >= zero_copy_min_ && zero_copy_min_ != no_zero_copy &&
               loop_.io().features().zero_copy;
    }
    void start_queued(bool at_once) noexcept;
    void start_direct() noexcept;
    void start(std::span<const std::byte> bytes) noexcept;
    static void on_completion(operation& op) noexcept;
    void completion(outgoing& op) noexcept;
    void break_off() noexcept;
    void sent(std::int32_t outcome) noexcept;
    void sent_of_queue(std::int32_t outcome) noexcept;
    void sent_of_direct(std::int32_t outcome) noexcept;
    void end_direct(std::error_code error) noexcept;
    void fail(std::error_code why) noexcept;
    void set_error(std::error_code why) noexcept;
    static void drop(outgoing*& one) noexcept;
    void tell_flushers() noexcept { wake_all(flushers_); }

    // What a message touches comes first.
    scheduler& loop_;
    outgoing* queue_ = nullptr;
    outgoing* flying_ = nullptr;
    direct_write* direct_ = nullptr;
    int fd_;
    flight in_flight_ = flight::nothing;
    bool may_be_silent_;
    bool has_failed_ = false;
    bool is_held_ = false;
    bool direct_canceled_ = false;
    bool given_up_ = false;
    bool was_broken_off_ = false;
    bool zero_copy_told_ = false;  // what went before the notification, if it was that kind of send
    std::uint32_t zero_copy_min_ = no_zero_copy;
    wait_list flushers_;
    std::error_code error_;
    idle_target* idle_target_ = nullptr;
};

}  // namespace weir::detail
