// reply_stream: a big reply in parts, as it arrives, in bounded memory.
//
//     auto page = redis.stream("GET", "page");
//     while (!page.done()) {
//         const auto part = co_await page.next();
//         if (!part) { break; }
//         write(part->bytes);   // of a long text; elements of an array come in part->view
//     }
//
// What comes is described in resp/stream_event.hpp: a short reply is one `value`; a long text is a
// `begin`, `chunk`s and an `end`; an array, map or set a `begin`, `element`s and an `end`. The last
// part is the `value` or the `end`; after it done() is true.
//
// The stream has a connection of its own, and nothing is read from it while its user is busy with a
// part: the server's memory holds the rest. Who needs only the beginning destroys the stream, which
// ends the connection; one that is done goes to the next user.
//
// Errors: those of a command; an error reply is the error of the first next(). A connection that is
// lost is connection_lost, also in the middle. There is no timeout; use with_timeout.
// Lifetime: views and bytes live until the next next(). No task waits in it when it is destroyed or
// moved. Thread: the loop's.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "detail/core_shelf.hpp"
#include "errors.hpp"
#include "resp/stream_event.hpp"

namespace weir::redisq {

namespace detail {

// The call of a stream, and what its user has not taken yet.
class stream_call final : public call {
  public:
    explicit stream_call(resp::command_buffer command)
        : call(call_options().within(duration::zero())), command_(std::move(command)) {
        become_stream();
    }
    ~stream_call() = default;

    // Goes on to the next part; whether the user has to wait for it.
    [[nodiscard]] bool advance(client_core& core, context& task, std::coroutine_handle<> resume);
    [[nodiscard]] result<resp::stream_event> take_part();
    [[nodiscard]] bool is_done() const noexcept { return is_done_; }

  private:
    void encode(resp::command_buffer& out) override { out.append(command_); }
    void take(const resp::reply_view& reply, resp::parser& from) override;
    [[nodiscard]] bool take_part(const resp::stream_event& part) override;
    void fail(error why) noexcept override { failure_ = std::move(why); }
    void on_end() noexcept override;

    resp::command_buffer command_;
    std::optional<resp::stream_event> part_;
    std::optional<error> failure_;
    bool has_begun_ = false;
    bool has_ended_ = false;  // nothing more comes from the connection
    bool is_done_ = false;    // and the user has seen the last
    bool is_awaited_ = false;
};

}  // namespace detail

class [[nodiscard]] reply_stream {
  public:
    class next_awaiter;

    // The next part. Requires !done().
    [[nodiscard]] next_awaiter next() noexcept;
    // The last part was taken, or an error.
    [[nodiscard]] bool done() const noexcept { return call_->is_done(); }

    reply_stream(reply_stream&&) noexcept = default;
    reply_stream& operator=(reply_stream&&) = delete;
    ~reply_stream();

    // For client::stream().
    reply_stream(std::shared_ptr<detail::core_shelf> shelf, resp::command_buffer command);

  private:
    std::shared_ptr<detail::core_shelf> shelf_;
    std::unique_ptr<detail::stream_call> call_;  // outlives the core, which may end it
    detail::client_handle core_;
};

class [[nodiscard]] reply_stream::next_awaiter {
  public:
    next_awaiter(detail::stream_call& call, detail::client_core& core) noexcept
        : call_(call), core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return call_.advance(core_, task.promise().context(), task);
    }
    result<resp::stream_event> await_resume() { return call_.take_part(); }

  private:
    detail::stream_call& call_;
    detail::client_core& core_;
};

inline reply_stream::next_awaiter reply_stream::next() noexcept { return {*call_, *core_}; }

}  // namespace weir::redisq
