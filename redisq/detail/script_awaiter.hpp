// The awaiter of a script: EVALSHA, and EVAL where the server does not hold it.
#pragma once

#include <tuple>

#include "../script.hpp"
#include "command_awaiter.hpp"

namespace weir::redisq::detail {

template <class T, class Keys, class... Arguments>
class [[nodiscard]] script_awaiter final : private single_call<T> {
    static_assert(outlives_its_reply<T>,
                  "the text of a reply is gone when its caller goes on: ask for a std::string or a "
                  "reply instead of a view");

  public:
    script_awaiter(client_core& core, const call_options& options, const script& what,
                   const Keys& keys, const Arguments&... arguments) noexcept
        : single_call<T>(options),
          core_(core),
          what_(what),
          keys_(keys),
          arguments_(arguments...) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }

    result<T> await_resume() { return std::move(*this->outcome_); }

  private:
    void encode(resp::command_buffer& out) override {
        static constexpr resp::static_command<"EVALSHA"> by_hash{};
        static constexpr resp::static_command<"EVAL"> by_text{};
        const std::size_t count = keys_.size();
        if (sends_text_) {
            out.add(by_text, what_.text(), count, keys_.names(), arguments_);
        } else {
            out.add(by_hash, what_.hash(), count, keys_.names(), arguments_);
        }
    }

    void take(const resp::reply_view& reply, resp::parser& from) override {
        if (!sends_text_ && reply.is_error() && reply.text().starts_with("NOSCRIPT")) {
            sends_text_ = true;
            this->send_again();
            return;
        }
        single_call<T>::take(reply, from);
    }

    client_core& core_;
    const script& what_;
    Keys keys_;
    std::tuple<const Arguments&...> arguments_;
    bool sends_text_ = false;
};

}  // namespace weir::redisq::detail
