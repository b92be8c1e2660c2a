// The awaiter of a pipeline: gathers the replies of all its commands.
#pragma once

#include <optional>
#include <utility>

#include "../pipeline.hpp"
#include "../replies.hpp"
#include "client_core.hpp"

namespace weir::redisq::detail {

// The call of a pipeline, into replies that somebody else owns.
class pipeline_call : public call {
  public:
    // `into` may not be constructed yet.
    pipeline_call(const call_options& options, const pipeline& commands, replies& into) noexcept
        : call(options), commands_(commands), into_(into) {}

    void encode(resp::command_buffer& out) override {
        into_.clear();
        out.append(commands_.commands());
    }
    void take(const resp::reply_view& reply, resp::parser& /*from*/) override { into_.add(reply); }
    void fail(error why) noexcept override { failure_ = std::move(why); }

  protected:
    ~pipeline_call() = default;

    const pipeline& commands_;
    replies& into_;
    std::optional<error> failure_;
};

// Replies of the caller's.
class [[nodiscard]] pipeline_into_awaiter final : private pipeline_call {
  public:
    pipeline_into_awaiter(client_core& core, const call_options& options, const pipeline& commands,
                          replies& into) noexcept
        : pipeline_call(options, commands, into), core_(core) {}

    [[nodiscard]] bool await_ready() noexcept {
        into_.clear();
        return commands_.empty();
    }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }
    result<void> await_resume() {
        return failure_ ? result<void>(std::unexpected(std::move(*failure_))) : result<void>();
    }

  private:
    client_core& core_;
};

// Replies that are returned.
class [[nodiscard]] pipeline_awaiter final : private pipeline_call {
  public:
    pipeline_awaiter(client_core& core, const call_options& options,
                     const pipeline& commands) noexcept
        : pipeline_call(options, commands, answers_), core_(core) {}

    [[nodiscard]] bool await_ready() const noexcept { return commands_.empty(); }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }
    result<replies> await_resume() {
        if (failure_) {
            return std::unexpected(std::move(*failure_));
        }
        return std::move(answers_);
    }

  private:
    client_core& core_;
    replies answers_;
};

}  // namespace weir::redisq::detail
