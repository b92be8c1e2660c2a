// One connection to a server: its socket, the parser, and who waits for which reply.
//
// Everything that is put in during a tick leaves in one send at its end; the next tick's commands
// gather in a second buffer while that is on its way. Bytes are received straight into the parser,
// and each reply is decoded where it lies, at the moment it is complete; whom it wakes runs from
// the ready queue. No timer delays anything.
//
// States, and what moves them:
//   open    put() takes calls
//   lost    the peer has gone, or spoken nonsense: the owner was told, and takes those who wait out
//           of calls(); nothing is received or sent any more
// abandon() may come in either: the owner hears no more, and the object frees itself when the
// kernel is done with its memory.
//
// The first send of a tick is tried at once by send(2) without waiting, which costs a system call
// of a hundred nanoseconds and no completion; only what the socket does not take becomes an
// operation. See README.md.
//
// Invariant: entries of calls() below sent() were handed to the kernel.
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../../runtime/event_loop.hpp"
#include "../../runtime/file/descriptor.hpp"
#include "../errors.hpp"
#include "../resp/encoder.hpp"
#include "../resp/parser.hpp"
#include "call.hpp"
#include "reply_queue.hpp"
#include "wire_filter.hpp"

namespace weir::redisq::detail {

class connection;

// Who is told of what a connection does. Called inside the driver's poll: wakes, resumes nobody.
class connection_owner {
  public:
    // A push, or a reply that nobody waits for. False: nothing more is delivered before resume().
    [[nodiscard]] virtual bool on_push(connection& from, const resp::reply_view& message) = 0;
    // Replies have come or bytes have left, so there may be room for more calls.
    virtual void on_progress(connection& from) noexcept = 0;
    // A call that wants to be sent again: it stands nowhere any more.
    virtual void on_again(call& who) noexcept = 0;
    // The end, once.
    virtual void on_lost(connection& from, error why) noexcept = 0;

  protected:
    ~connection_owner() = default;
};

class connection final : private weir::detail::orphan, private weir::detail::tick_end_node {
  public:
    // `socket` is connected, `filter` (or null) has shaken hands.
    connection(event_loop& loop, file_descriptor socket, std::unique_ptr<wire_filter> filter,
               const resp::limits& limits, connection_owner& owner);

    // Begins to receive. on_lost() may come from now on, never inside this call.
    void start() noexcept { receive(); }

    [[nodiscard]] bool is_open() const noexcept { return !is_lost_; }

    // Encodes the call and queues it. Requires is_open(). Throws std::bad_alloc, and nothing has
    // happened.
    void put(call& who);
    // Commands, 1 or more, whose replies are dropped. Requires and throws as put().
    void put_for_nobody(const resp::command_buffer& commands);
    // A command whose reply comes by on_push(), and of which no byte stays in memory when it has
    // left. Requires that nothing waits to be sent. Throws std::bad_alloc.
    void send_secret(std::span<const std::byte> encoded);
    // Leaves a tombstone. Requires that the call is queued here.
    void forget(call& who) noexcept;

    // For commands that get no reply in the queue; send_soon() after it.
    [[nodiscard]] resp::command_buffer& out() noexcept { return out_; }
    void send_soon() noexcept { loop_.at_tick_end(*this); }

    [[nodiscard]] reply_queue& calls() noexcept { return calls_; }
    [[nodiscard]] reply_queue::ticket sent() const noexcept { return sent_; }
    // Bytes that wait for the tick's end, or for the send before.
    [[nodiscard]] std::size_t unsent_bytes() const noexcept { return out_.size(); }
    // When bytes came last, to the tick; when it was made, if none did.
    [[nodiscard]] time_point last_receive() const noexcept { return last_receive_; }

    // Ends it: tells the owner by on_lost(), unless that was done already.
    void fail(error why) noexcept;

    // Who was handed a push or a part of a reply has not said yet that it goes on: its memory is
    // still read.
    [[nodiscard]] bool is_paused() const noexcept { return is_paused_; }
    // Goes on with on_push() after it said false. Requires is_open().
    void resume() noexcept;

    // The owner goes: nobody is told anything any more. Requires that the owner has taken those who
    // wait out of calls().
    void abandon() noexcept;

    struct abandoner {
        void operator()(connection* one) const noexcept { one->abandon(); }
    };

  private:
    // One of the two things that the kernel may do at a time.
    struct transfer : weir::detail::operation {
        connection* self = nullptr;
        bool in_flight = false;
    };

    ~connection() {
        clear_sent(flying_);
        clear_sent(out_);
    }

    void begin(transfer& what) noexcept;
    [[nodiscard]] bool is_idle() const noexcept {
        return !receiving_.in_flight && !sending_.in_flight;
    }
    void clear_sent(resp::command_buffer& left) noexcept;
    void receive() noexcept;
    static void on_received(weir::detail::operation& op) noexcept;
    void received(std::int32_t count);
    void unwrap();
    void deliver();
    [[nodiscard]] bool deliver_part();
    void dispatch(const resp::reply_view& reply);
    void send() noexcept;
    void prepare_flight();
    static void on_sent(weir::detail::operation& op) noexcept;
    void sent(std::int32_t count) noexcept;
    void write_failed(int error) noexcept;
    void stop_transfers() noexcept;
    void give_up() noexcept override {}  // all was canceled when the owner went
    void end_if_abandoned() noexcept;

    event_loop& loop_;
    file_descriptor socket_;
    std::unique_ptr<wire_filter> filter_;
    connection_owner* owner_;
    resp::parser parser_;
    reply_queue calls_;
    reply_queue::ticket sent_ = 0;
    resp::command_buffer out_;     // gathers
    resp::command_buffer flying_;  // is on its way
    std::vector<std::byte> wire_;  // the same, through the filter
    std::span<const std::byte> rest_;
    transfer receiving_;
    transfer sending_;
    std::size_t room_wanted_;
    time_point last_receive_;
    bool seen_empty_ = false;  // the last receive left nothing in the socket
    bool is_paused_ = false;
    bool in_stream_ = false;  // a part of a reply was delivered, and its end not
    bool is_lost_ = false;
    bool is_busy_ = false;     // a callback is on the stack
    bool has_secret_ = false;  // in out_ or flying_
    std::error_code write_error_;
};

using connection_handle = std::unique_ptr<connection, connection::abandoner>;

}  // namespace weir::redisq::detail
