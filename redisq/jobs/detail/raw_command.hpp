// Commands that are encoded already, as calls of a client.
//
// Lifetime: the buffer outlives the await. Thread: the loop's.
#pragma once

#include <optional>
#include <utility>

#include "../../detail/client_core.hpp"
#include "../../replies.hpp"
#include "../../resp/parser.hpp"
#include "../../resp/reply.hpp"

namespace weir::redisq::detail {

class raw_call : public call {
  public:
    raw_call(client_core& core, const call_options& options,
             const resp::command_buffer& commands) noexcept
        : call(options), core_(core), commands_(commands) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }

    void encode(resp::command_buffer& out) override { out.append(commands_); }
    void fail(error why) noexcept override { failure_ = std::move(why); }

  protected:
    ~raw_call() = default;

    client_core& core_;
    const resp::command_buffer& commands_;
    std::optional<error> failure_;
};

// One command, and its reply to keep.
class [[nodiscard]] raw_command final : public raw_call {
  public:
    using raw_call::raw_call;

    void take(const resp::reply_view& reply, resp::parser& from) override {
        if (reply.is_error()) {
            failure_ = server_reply_error(reply.text());
        } else {
            kept_ = from.take();  // a large one is not copied
        }
    }
    result<resp::reply> await_resume() {
        if (failure_) {
            return std::unexpected(std::move(*failure_));
        }
        return std::move(kept_);
    }

  private:
    resp::reply kept_;
};

// Several, and their replies in `into`.
class [[nodiscard]] raw_commands final : public raw_call {
  public:
    raw_commands(client_core& core, const call_options& options,
                 const resp::command_buffer& commands, replies& into) noexcept
        : raw_call(core, options, commands), into_(into) {}

    void encode(resp::command_buffer& out) override {
        into_.clear();
        raw_call::encode(out);
    }
    void take(const resp::reply_view& reply, resp::parser& /*from*/) override { into_.add(reply); }
    result<void> await_resume() {
        return failure_ ? result<void>(std::unexpected(std::move(*failure_))) : result<void>();
    }

  private:
    replies& into_;
};

}  // namespace weir::redisq::detail
