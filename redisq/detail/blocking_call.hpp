// A command on a connection of its own.
#pragma once

#include <memory>
#include <utility>

#include "command_awaiter.hpp"
#include "core_shelf.hpp"

namespace weir::redisq::detail {

// A call whose command is encoded already; the buffer outlives the await.
template <class T>
class [[nodiscard]] encoded_awaiter final : private single_call<T> {
    static_assert(outlives_its_reply<T>,
                  "the text of a reply is gone when its caller goes on: ask for a std::string or a "
                  "reply instead of a view");

  public:
    encoded_awaiter(client_core& core, const call_options& options,
                    const resp::command_buffer& command) noexcept
        : single_call<T>(options), core_(core), command_(command) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }
    result<T> await_resume() { return std::move(*this->outcome_); }

  private:
    void encode(resp::command_buffer& out) override { out.append(command_); }

    client_core& core_;
    const resp::command_buffer& command_;
};

template <class T>
task<result<T>> run_blocking(std::shared_ptr<core_shelf> shelf, call_options options,
                             resp::command_buffer command) {
    client_handle core = shelf->take();
    encoded_awaiter<T> answered(*core, options, command);
    result<T> answer = co_await answered;
    // A caller who left would leave the command to block the next one, or to take what the next
    // one should get: then the connection ends, and the server forgets the command.
    if (core->is_unused()) {
        shelf->give_back(std::move(core));
    }
    co_return answer;
}

}  // namespace weir::redisq::detail
