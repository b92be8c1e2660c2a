// A caller of one or more commands, as a connection knows it: what to send, what to do with the
// replies. It stands itself in the queue of those who wait, so a call allocates nothing.
//
// States, and who moves them:
//   idle     made, not yet awaited
//   waiting  stands in the client's line: no connection, or no room (client_core)
//   queued   its bytes are in the out buffer or on their way; it has a ticket (connection)
//   done     has its outcome and was woken; nobody knows it any more
// A call that is waiting holds no bytes: it encodes itself when its turn comes, and once more where
// it is repeated on another connection.
//
// Lifetime: lives in the frame that awaits it. Thread: the loop's.
#pragma once

#include <cstdint>

#include "../../runtime/task.hpp"
#include "../call_options.hpp"
#include "../errors.hpp"
#include "../resp/encoder.hpp"
#include "../resp/parser.hpp"
#include "../resp/reply_view.hpp"
#include "reply_queue.hpp"

namespace weir::redisq::detail {

class client_core;

enum class call_state : std::uint8_t { idle, waiting, queued, done };

class call : public weir::detail::listed_waiter, private weir::detail::timer_node {
  public:
    explicit call(const call_options& options) noexcept
        : timer_node(&expired), timeout_(options.timeout), idempotent_(options.idempotent) {}
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    // Appends the commands. May throw std::bad_alloc; what it had appended is then taken back.
    virtual void encode(resp::command_buffer& out) = 0;
    // One reply, in order, which `from` has just returned; called once for each command. May throw
    // std::bad_alloc.
    virtual void take(const resp::reply_view& reply, resp::parser& from) = 0;
    // There will be no reply, or no further one.
    virtual void fail(error why) noexcept = 0;

    // Of a call that is_stream(), instead of take(): a part of the reply, valid until the
    // connection goes on. False: it goes on with client_core::resume_pushes().
    [[nodiscard]] virtual bool take_part(const resp::stream_event& part) {
        static_cast<void>(part);
        return true;
    }
    // Of the same: it is done, after the last part or fail(). Wakes whom it concerns.
    virtual void on_end() noexcept {}

    [[nodiscard]] bool is_idempotent() const noexcept { return idempotent_; }
    [[nodiscard]] bool is_stream() const noexcept { return is_stream_; }

  protected:
    ~call() = default;

    // Inside take() of the last reply: the call is not over, it is encoded and sent once more,
    // ahead of those who wait.
    void send_again() noexcept { again_ = true; }

    void become_stream() noexcept { is_stream_ = true; }

  private:
    friend class client_core;
    friend class connection;

    static void expired(timer_node& timer) noexcept;

    // It has its outcome: wakes.
    void end() noexcept {
        state_ = call_state::done;
        if (timer_node::is_linked()) [[unlikely]] {
            owner->loop().disarm(*this);
        }
        if (is_stream_) [[unlikely]] {
            on_end();
            return;
        }
        wake();
    }

    client_core* core_ = nullptr;
    reply_queue::ticket ticket_ = 0;
    duration timeout_;
    call_state state_ = call_state::idle;
    bool idempotent_;
    bool again_ = false;
    bool is_stream_ = false;
};

inline bool reply_queue::front_is_stream() const noexcept {
    if (empty()) {
        return false;
    }
    const call* const who = entries_[begin_ & (capacity_ - 1)].who;
    return who != nullptr && who->is_stream();
}

}  // namespace weir::redisq::detail
