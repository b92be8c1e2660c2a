// The awaiter of a transaction.
//
// Replies, in their order: OK for MULTI, QUEUED or an error for each command, and for EXEC an array
// of what the commands were answered, a null where a watched key was changed, or an error.
#pragma once

#include <cstddef>
#include <optional>

#include "../replies.hpp"
#include "../transaction.hpp"
#include "client_core.hpp"

namespace weir::redisq::detail {

class [[nodiscard]] transaction_awaiter final : private call {
  public:
    transaction_awaiter(client_core& core, const call_options& options,
                        const transaction& commands) noexcept
        : call(options), core_(core), commands_(commands) {}

    // An empty one has nothing to say, but ends a watch.
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }
    result<replies> await_resume();

  private:
    void encode(resp::command_buffer& out) override;
    void take(const resp::reply_view& reply, resp::parser& from) override;
    void fail(error why) noexcept override { failure_ = std::move(why); }

    client_core& core_;
    const transaction& commands_;
    std::size_t left_ = 0;  // replies
    replies answers_;
    std::optional<error> refused_;  // why the server did not queue a command
    std::optional<error> failure_;
};

}  // namespace weir::redisq::detail
