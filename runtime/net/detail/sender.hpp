// What a socket has to send: the queue that gathers the writes of a tick, and one large write.
//
// At most one send is in flight, so that bytes keep their order: first what stands in the queue,
// then the large write, straight from its owner's memory. Which one is in flight:
//   nothing   pump() starts the next
//   queued    `flying_`, what the queue held when it was started
//   linked    the same, as the request before a receive (operation::first): how it went is known
//             when the receive has completed
//   direct    the large write
// An error that is not a cancel is final: what is queued is dropped, and all later calls fail with
// it.
//
// Thread: the loop's. Lifetime: destroyed when nothing is in flight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <vector>

#include "../../detail/wait_list.hpp"
#include "../../operation.hpp"
#include "../../scheduler.hpp"

namespace weir::detail {

// A write whose bytes stay where they are until all have been sent.
struct direct_write : waiter {
    std::span<const std::byte> rest;
    std::error_code error;
    bool begun = false;  // part of it has been sent
};

class sender : private operation {
  public:
    // A write of at least so many bytes is not copied.
    static constexpr std::size_t direct_min = 16'384;
    static constexpr std::size_t queue_max = 65'536;

    sender(scheduler& loop, int fd) noexcept;
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;
    ~sender() = default;

    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    [[nodiscard]] bool is_idle() const noexcept {
        return in_flight_ == flight::nothing && flying_.empty() && !has_more() && !is_held_;
    }

    // Queues all of `bytes`, or returns false: too many, no room, or no memory.
    [[nodiscard]] bool try_queue(std::span<const std::byte> bytes) noexcept;

    // Sends write.rest behind what is queued; wakes the waiter when that is done or has failed.
    void send_directly(direct_write& write) noexcept;
    void cancel(direct_write& write) noexcept;

    // Starts the next send, if there is one and none is in flight.
    void pump() noexcept;

    // Wakes `waiting` when everything has been sent, or nothing more will be.
    void wait_until_idle(listed_waiter& waiting) noexcept { flushers_.push_back(waiting); }

    // Whether what is queued may become the request before a receive.
    [[nodiscard]] bool can_link() const noexcept {
        return in_flight_ == flight::nothing && flying_.empty() && !queue_.empty() &&
               direct_ == nullptr && !is_held_;
    }
    // Becomes linked; the request lives until end_linked().
    [[nodiscard]] const io_request& begin_linked() noexcept;
    void end_linked(std::int32_t first_outcome) noexcept;
    [[nodiscard]] bool in_flight() const noexcept { return in_flight_ != flight::nothing; }
    [[nodiscard]] bool is_linked() const noexcept { return in_flight_ == flight::linked; }
    [[nodiscard]] std::size_t queued() const noexcept { return queue_.size(); }
    [[nodiscard]] bool has_more() const noexcept { return !queue_.empty() || direct_ != nullptr; }

    // Sends of at least so many bytes are not copied by the kernel either; SIZE_MAX: none.
    void set_zero_copy_min(std::size_t bytes) noexcept { zero_copy_min_ = bytes; }

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

    // Calls `action(target)` when nothing is in flight any more; for an owner that goes.
    void when_idle(void (*action)(void*) noexcept, void* target) noexcept {
        on_idle_ = action;
        idle_target_ = target;
    }

  private:
    enum class flight : std::uint8_t { nothing, queued, linked, direct };

    void start(std::span<const std::byte> bytes) noexcept;
    static void on_completion(operation& op) noexcept;
    void break_off() noexcept;
    void sent(std::int32_t outcome) noexcept;
    void sent_of_queue(std::int32_t outcome) noexcept;
    void sent_of_direct(std::int32_t outcome) noexcept;
    void end_direct(std::error_code error) noexcept;
    void fail(std::error_code why) noexcept;
    void tell_flushers() noexcept;

    scheduler& loop_;
    std::vector<std::byte> queue_;
    std::vector<std::byte> flying_;
    std::size_t flown_ = 0;  // of flying_
    std::size_t zero_copy_min_ = SIZE_MAX;
    std::int32_t zero_copy_outcome_ = 0;
    bool zero_copy_told_ = false;  // what went before the notification, if it was that kind of send
    bool given_up_ = false;
    bool is_held_ = false;
    bool was_broken_off_ = false;
    direct_write* direct_ = nullptr;
    bool direct_canceled_ = false;
    flight in_flight_ = flight::nothing;
    std::error_code error_;
    wait_list flushers_;
    void (*on_idle_)(void*) noexcept = nullptr;
    void* idle_target_ = nullptr;
};

}  // namespace weir::detail
