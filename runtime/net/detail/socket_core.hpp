// One connected socket: its descriptor, what it has to send, what it has received, and the task
// that reads it.
//
// Reading goes one of two ways. A read into the caller's span is an operation of its own. Once
// receive() was called, bytes arrive in buffers of the loop (receiver), and reads copy from those.
//
// Writes gather until the end of the tick and leave in one send. When the task that wrote then
// reads, as a server that answers does, the receive is linked behind the send: the two cost one
// completion. Such a send tells how it went only when the receive has completed, so when somebody
// writes meanwhile, the receive is taken back and asked for again alone, and this socket links no
// more: it is used both ways at once.
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

// A task's read: into a span of its own, or, with waits_for_chunks, until there are chunks.
struct span_read : operation {
    socket_core* socket = nullptr;
    std::span<std::byte> into;
    bool waits_for_chunks = false;
    bool is_due = false;       // starts at the end of the tick, behind what its task has written
    bool was_stopped = false;  // by its task, as opposed to taken back by the socket
};

class socket_core final : public recycled,
                          private orphan,
                          private tick_end_node,
                          private timer_node {
  public:
    static constexpr duration linger_max = std::chrono::seconds(10);

    socket_core(event_loop& loop, file_descriptor socket) noexcept;

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }
    [[nodiscard]] bool is_open() const noexcept { return socket_.get() >= 0; }
    [[nodiscard]] event_loop& loop() const noexcept { return loop_; }
    [[nodiscard]] sender& out() noexcept { return sender_; }

    // The receiver, made when it is first asked for. Throws as receive_pool does.
    [[nodiscard]] receiver& chunks();
    // The same, or null where bytes do not arrive in chunks.
    [[nodiscard]] receiver* active_chunks() const noexcept {
        return receiver_ != nullptr && receiver_->is_active() ? receiver_ : nullptr;
    }

    // Takes `bytes` to be sent at the end of this tick; false: they have to be sent directly.
    [[nodiscard]] bool queue(std::span<const std::byte> bytes, const context& writer) noexcept;
    void send_directly(direct_write& write) noexcept;

    // Wakes the waiter when the read has ended.
    void begin_read(span_read& read) noexcept;
    // The same for a read that waits for chunks. Throws as chunks().
    void begin_chunk_read(span_read& read);
    void cancel(span_read& read) noexcept;
    // A read that waited for chunks goes on.
    void end_chunk_read() noexcept;
    [[nodiscard]] bool is_reading() const noexcept { return reading_ != nullptr; }

    // Sends what is queued; wakes `waiting` when that is done or has failed.
    void flush(listed_waiter& waiting) noexcept;

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
    ~socket_core() = default;

    void tick_ends() noexcept;
    void start_read(span_read& read) noexcept;
    static void read_without_buffer(waiter& reader) noexcept;
    void take_back_read() noexcept;
    static void on_read(operation& op) noexcept;
    void read_ended(span_read& read) noexcept;
    void drop_receiver() noexcept;
    void give_up() noexcept override;
    void end_abandoned() noexcept;

    event_loop& loop_;
    file_descriptor socket_;
    sender sender_;
    receiver* receiver_ = nullptr;
    span_read* reading_ = nullptr;
    const context* writer_ = nullptr;  // of what stands in the queue
    bool may_link_;
    bool seen_empty_ = false;  // the last receive left nothing in the socket
    wait_list unread_waiters_;
};

using socket_handle = std::unique_ptr<socket_core, socket_core::abandoner>;

}  // namespace weir::detail
