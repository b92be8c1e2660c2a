// What a client is behind its handle: the connection, those who wait for one or for room, and the
// task that connects.
//
// States of the link, and what moves them:
//   none        no connection; with the next call the background task begins to connect
//   connecting  the background task runs; a connection may exist already, to exchange greetings
//   ready       calls go straight to the connection
// A connection that is lost takes us back to `none`, and on to `connecting` where somebody waits.
// Attempts are spaced by options.reconnect, also where each is asked for by a call of its own.
//
// A call whose connection is lost: not handed to the kernel yet, or idempotent, it goes back to the
// head of the line, in order; else it fails with connection_lost.
//
// Calls that have the client's timeout stand in the order of their beginning, so one timer serves
// all of them; a call with a timeout of its own brings its own timer.
//
// Lifetime: abandon() instead of a destructor; the object frees itself when its task has ended.
// Thread: the loop's.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>

#include "../../runtime/detail/wait_list.hpp"
#include "../../runtime/event.hpp"
#include "../options.hpp"
#include "background.hpp"
#include "connection.hpp"
#include "handshake.hpp"

namespace weir::redisq::detail {

// Somebody who wants to know of what the server says unasked.
class push_listener : public weir::detail::list_node {
  public:
    // False: nothing more is received before client_core::resume_pushes().
    [[nodiscard]] virtual bool on_push(const resp::reply_view& message) = 0;
    virtual void on_ready() noexcept {}
    virtual void on_lost(const error& why) noexcept { static_cast<void>(why); }
    // An attempt to connect has failed for a reason that lasts.
    virtual void on_failed(const error& why) noexcept { static_cast<void>(why); }

  protected:
    push_listener() = default;
    ~push_listener() = default;
};

struct client_counters {
    std::uint64_t calls = 0;        // begun
    std::uint64_t connections = 0;  // that became ready
    std::uint64_t attempts = 0;     // to connect
    std::uint64_t repeated = 0;     // calls that were sent once more
    std::uint64_t timed_out = 0;
};

class client_core final : private connection_owner,
                          private weir::detail::orphan,
                          private background {
  public:
    // Throws std::invalid_argument for options that are not sound.
    client_core(event_loop& loop, client_options options);

    [[nodiscard]] const client_options& options() const noexcept { return options_; }
    [[nodiscard]] const client_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] bool is_ready() const noexcept { return is_ready_; }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    // Why there is no connection: the last attempt's failure, or the loss; none where it is ready.
    [[nodiscard]] const std::optional<error>& connect_error() const noexcept {
        return connect_error_;
    }
    // Of the protocol that the server speaks; 0 before the first greeting.
    [[nodiscard]] int protocol() const noexcept { return protocol_; }
    [[nodiscard]] event_loop& loop() const noexcept {
        return static_cast<event_loop&>(background::loop());
    }

    // Queues the call on behalf of `task`. False: it has failed and goes on at once. Throws
    // std::bad_alloc, and nothing has happened.
    [[nodiscard]] bool submit(call& who, context& task, std::coroutine_handle<> resume);

    // The task of a call was stopped.
    static void cancel(weir::detail::waiter& self) noexcept;
    // The time of a call with a timeout of its own is up.
    void expire(call& who) noexcept;

    // Drops the connection; calls see connection_lost.
    void disconnect(error why) noexcept;

    // From now on a connection that is lost is not made again: all that depends on it fails with
    // connection_lost, also what comes later, until pin(false). Requires is_ready().
    void pin(bool on) noexcept { is_pinned_ = on; }
    // Commands whose replies are dropped; none where there is no connection. Throws std::bad_alloc.
    void send_for_nobody(const resp::command_buffer& commands) {
        if (is_ready_) {
            connection_->put_for_nobody(commands);
        }
    }
    // Callers on the connection; where some stand in line, more than any connection has.
    [[nodiscard]] std::size_t pending() const noexcept {
        return (waiting_.empty() ? 0 : SIZE_MAX / 2) +
               (connection_ != nullptr ? connection_->calls().callers() : 0);
    }
    // Nobody waits for a reply, in line or on the connection.
    [[nodiscard]] bool is_unused() noexcept {
        return waiting_.empty() && (connection_ == nullptr || connection_->calls().empty());
    }
    // Connects now and whenever the connection is lost, also when nobody calls.
    void keep_connected(bool on) noexcept;
    // What nobody waits for is no breach of the protocol, but the listeners' (RESP2's messages).
    void take_all_as_pushes() noexcept { takes_all_ = true; }

    void add_listener(push_listener& listener) noexcept { listeners_.push_back(listener); }
    void resume_pushes() noexcept;
    // For commands without a reply in the queue; requires is_ready(). send_soon() after it.
    [[nodiscard]] resp::command_buffer& out() noexcept { return connection_->out(); }
    void send_soon() noexcept { connection_->send_soon(); }

    // No more calls; who waits in line fails with errc::closed.
    void begin_close() noexcept;
    // The same, and waits until the replies under way have come and all has ended.
    [[nodiscard]] task<> close();

    // Ends everything now; calls fail with errc::closed. The owner goes.
    void abandon() noexcept;

    struct abandoner {
        void operator()(client_core* core) const noexcept { core->abandon(); }
    };

  private:
    struct core_timer : weir::detail::timer_node {
        using timer_node::timer_node;
        client_core* core = nullptr;
    };
    using call_list = weir::detail::wait_list;

    ~client_core() override = default;

    void connect_soon() noexcept;
    [[nodiscard]] bool has_room() noexcept {
        return connection_->calls().replies() < options_.max_pending &&
               connection_->unsent_bytes() < options_.max_pending_bytes;
    }
    void queue(call& who);
    void start_timers(call& who) noexcept;
    void leave(call& who, error why) noexcept;
    void admit() noexcept;
    void fail_waiting(const error& why) noexcept;
    [[nodiscard]] error out_of_time(const call& who) const;

    [[nodiscard]] bool on_push(connection& from, const resp::reply_view& message) override;
    void on_progress(connection& from) noexcept override;
    void on_again(call& who) noexcept override;
    void on_lost(connection& from, error why) noexcept override;
    void take_back(connection& from, const error& why) noexcept;
    void tell_lost(const error& why) noexcept;

    [[nodiscard]] bool sweep(time_point now, bool& is_silent) noexcept;
    void sweep_timer_fired() noexcept;
    void idle_timer_fired() noexcept;

    task<> connect_while_needed();
    task<result<void>> open();
    task<result<void>> make_connection();
    task<result<void>> greet();
    void greeted(const resp::reply_view& reply);
    void end_greeting(std::optional<error> why) noexcept;
    void attempt_failed(error why) noexcept;
    void became_ready() noexcept;
    [[nodiscard]] std::uint64_t chance() noexcept;

    void on_ended(std::exception_ptr thrown) noexcept override;
    void check_closed() noexcept;
    void give_up() noexcept override {}  // it was asked to stop when its owner went

    client_options options_;
    client_counters counters_;
    connection_handle connection_;
    call_list waiting_;
    weir::detail::intrusive_list<push_listener> listeners_;
    core_timer sweep_timer_;
    core_timer idle_timer_;  // also for a wanted connection that there was no memory to begin
    weir::event closed_event_;
    std::optional<error> connect_error_;  // of the last attempt
    std::optional<handshake> handshake_;  // while it is under way
    std::optional<error> greeting_error_;
    weir::event greeting_ended_;
    time_point not_before_{};
    time_point last_used_{};
    std::uint64_t random_state_;
    unsigned attempts_ = 0;
    int protocol_ = 0;
    bool is_wanted_ = false;  // a connection, although nobody calls
    bool is_ready_ = false;
    bool is_pinned_ = false;
    bool takes_all_ = false;
    bool is_closed_ = false;
    bool is_abandoned_ = false;
};

using client_handle = std::unique_ptr<client_core, client_core::abandoner>;

}  // namespace weir::redisq::detail
