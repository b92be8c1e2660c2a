// One connected socket: its descriptor, what it has to send, what it has received, and the task
// that reads it.
//
// Reading goes one of two ways. A read into the caller's span is an operation of its own. Once
// receive() was called, bytes arrive in buffers of the loop (receiver), and reads copy from those.
//
// Writes gather until the end of the tick and leave in one send, which in most cases ends at once
// and costs no completion (sender). A read into a span that begins meanwhile is asked for right
// behind that send, so that the kernel turns to a socket once a tick and not twice.
//
// Lifetime: abandon() instead of a destructor. What was written before goes out in the background,
// for at most linger_max, as long as the loop runs; then the object frees itself. Thread: the
// loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "../../event_loop.hpp"
#include "../../file/descriptor.hpp"
#include "../../result.hpp"
#include "receiver.hpp"
#include "sender.hpp"

namespace weir::detail {

class socket_core;

// A task's read into a span of its own; by an operation, or from chunks.
struct span_read : operation {
    bool from_chunks = false;
    socket_core* socket = nullptr;
    std::span<std::byte> into;
};

class socket_core final : public recycled, private tick_end_node {
  public:
    static constexpr duration linger_max = std::chrono::seconds(10);

    socket_core(event_loop& loop, file_descriptor socket) noexcept;

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    [[nodiscard]] bool is_open() const noexcept { return socket_.get() >= 0; }
    [[nodiscard]] sender& out() noexcept { return sender_; }

    // The receiver, made when it is first asked for. Throws as receive_pool does.
    [[nodiscard]] receiver& chunks() { return receiver_ != nullptr ? *receiver_ : add_receiver(); }
    // The same, or null where bytes do not arrive in chunks.
    [[nodiscard]] receiver* active_chunks() const noexcept {
        return receiver_ != nullptr && receiver_->is_active() ? receiver_ : nullptr;
    }

    // Takes `bytes` to be sent at the end of this tick; false: they have to be sent directly.
    [[nodiscard]] bool queue(std::span<const std::byte> bytes) noexcept;

    // Wakes the waiter when the read has ended.
    void begin_read(span_read& read) noexcept;
    // Wakes `reader` when there are chunks, or the end has come; it then calls end_chunk_read(), as
    // does a read from chunks. Throws as chunks().
    void begin_chunk_read(waiter& reader);
    void end_chunk_read(const waiter& reader) noexcept;
    // Requires that `reader` is the one that reads.
    void cancel(waiter& reader) noexcept;
    [[nodiscard]] bool is_reading() const noexcept { return reading_ != nullptr; }

    // Ends the reading: who reads gets operation_canceled.
    void stop_reading() noexcept;
    void wait_until_unread(listed_waiter& waiting) noexcept { unread_waiters_.push_back(waiting); }

    // Closes the descriptor. Requires that nobody reads and nothing is in flight.
    result<void> close() noexcept;

    // The owner goes; see above. Requires that nobody reads or writes.
    void abandon() noexcept;

    struct abandoner {
        void operator()(socket_core* core) const noexcept { core->abandon(); }
    };

  private:
    struct lingerer;

    ~socket_core() = default;

    [[nodiscard]] event_loop& loop() const noexcept {
        return static_cast<event_loop&>(sender_.loop());
    }
    [[nodiscard]] receiver& add_receiver();
    void wait_for_chunks(waiter& reader, receiver& from) noexcept;
    void start_read(span_read& read) noexcept;
    void tick_has_ended() noexcept;
    static void read_without_buffer(waiter& reader) noexcept;
    static void on_read(operation& op) noexcept;
    void read_ended(span_read& read) noexcept;
    void tell_unread() noexcept { wake_all(unread_waiters_); }
    void drop_receiver() noexcept;
    void linger() noexcept;
    void end_abandoned() noexcept;

    // What a message touches comes first.
    waiter* reading_ = nullptr;
    receiver* receiver_ = nullptr;
    file_descriptor socket_;
    bool reads_chunks_ = false;  // who reads waits for chunks
    bool seen_empty_ = false;    // the last receive left nothing in the socket
    bool holds_read_ = false;    // the read is started at the end of this tick
    sender sender_;
    wait_list unread_waiters_;
    lingerer* lingerer_ = nullptr;
};

using socket_handle = std::unique_ptr<socket_core, socket_core::abandoner>;

}  // namespace weir::detail
