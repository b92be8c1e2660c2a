// The receive behind a datagram_receiver, its buffers, and who waits for a datagram.
//
// Each buffer holds what the kernel's multishot recvmsg writes (io_uring_recvmsg_out(3)): a header,
// the sender's address in a field of fixed size, the bytes. Where there is no multishot receive, a
// plain one fills one buffer at a time with the same layout.
//
// States of the receive: armed, from arm() to its terminal completion, or not. It is armed when
// somebody waits and a buffer is free; it ends by itself when no buffer is left, after an error and
// after an empty datagram, and is then armed again when somebody waits.
// Invariant: a task waits only while nothing is queued and no error is pending.
//
// Lifetime: counts who needs it (the receiver, each received_datagram, the receive in flight) and
// frees itself. It has a descriptor of its own for the socket, so that this may be closed at any
// time. Thread: the loop's.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "../../detail/wait_list.hpp"
#include "../../driver.hpp"
#include "../../file/descriptor.hpp"
#include "../../scheduler.hpp"
#include "../address.hpp"

namespace weir::detail {

// A task that waits for a datagram, and what it gets.
struct datagram_wait : listed_waiter {
    std::optional<std::uint16_t> buffer;
    std::error_code error;
};

class datagram_core final : private operation, private orphan {
  public:
    // As the kernel writes it.
    struct header {
        std::uint32_t name_size;
        std::uint32_t control_size;
        std::uint32_t payload_size;  // before it was cut
        std::uint32_t flags;         // MSG_TRUNC
    };
    static constexpr std::size_t name_max = socket_address::capacity();
    static constexpr std::size_t payload_offset = sizeof(header) + name_max;

    // `count` is a power of two. Throws std::bad_alloc.
    datagram_core(scheduler& loop, file_descriptor socket, std::uint32_t count,
                  std::uint32_t payload_max);

    // Before the first receive. The error of the kernel that refuses a group of buffers.
    [[nodiscard]] std::error_code provide_buffers();

    [[nodiscard]] bool is_multishot() const noexcept { return group_.has_value(); }

    // False where `task` has to wait: it then stands in the list, and the receive is armed.
    bool receive(datagram_wait& asker, context& task, std::coroutine_handle<> resume,
                 const wait_kind& kind) noexcept;

    [[nodiscard]] std::span<std::byte> payload(std::uint16_t buffer) noexcept {
        return {at(buffer) + payload_offset, filled_[buffer] - payload_offset};
    }
    [[nodiscard]] socket_address sender(std::uint16_t buffer) const noexcept;
    [[nodiscard]] bool was_truncated(std::uint16_t buffer) const noexcept;

    void retain() noexcept { ++references_; }
    void give_back(std::uint16_t buffer) noexcept;
    void release() noexcept;

    // The receiver goes. Requires that nobody waits.
    void abandon() noexcept;

  private:
    ~datagram_core();

    [[nodiscard]] std::byte* at(std::uint16_t buffer) const noexcept {
        return memory_.get() + std::size_t{buffer} * size_;
    }
    [[nodiscard]] header header_of(std::uint16_t buffer) const noexcept;
    void want() noexcept;
    void arm() noexcept;
    static void on_completion(operation& op) noexcept;
    void completion() noexcept;
    void arrived_alone() noexcept;
    void arrived(std::uint16_t buffer, std::size_t filled) noexcept;
    void failed(std::error_code error) noexcept;
    void free_buffer(std::uint16_t buffer) noexcept;
    void give_up() noexcept override {}  // it was canceled when its receiver went

    scheduler& loop_;
    file_descriptor socket_;
    const std::uint32_t count_;
    const std::uint32_t size_;
    const std::unique_ptr<std::byte[]> memory_;
    std::vector<std::size_t> filled_;          // by buffer
    std::vector<std::uint16_t> free_buffers_;  // without a group: a stack
    std::uint32_t free_ = 0;                   // not held by us
    std::vector<std::uint16_t> queue_;         // a ring of count_: arrived, and asked for by nobody
    std::uint32_t queue_first_ = 0;
    std::uint32_t queue_size_ = 0;
    std::error_code pending_error_;
    wait_list waiters_;
    std::optional<std::uint16_t> group_;
    std::uint16_t single_ = 0;  // the buffer of a plain receive
    msghdr message_{};
    iovec piece_{};
    std::uint32_t references_ = 1;
    bool armed_ = false;
    bool abandoned_ = false;
};

}  // namespace weir::detail
