// The awaiter of one command: stands in the reply queue, and decodes its reply where that lies.
#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "client_core.hpp"
#include "value_of.hpp"

namespace weir::redisq::detail {

// Texts of a reply live no longer than the moment in which it is decoded.
template <class T>
inline constexpr bool outlives_its_reply =
    !std::is_same_v<T, std::string_view> && !std::is_same_v<T, resp::reply_view>;

// A call of one reply, which becomes a T.
template <class T>
class single_call : public call {
  public:
    explicit single_call(const call_options& options) noexcept : call(options) {}

    void take(const resp::reply_view& reply, resp::parser& from) override {
        if constexpr (std::is_same_v<T, resp::reply>) {
            if (!reply.is_error()) {
                outcome_.emplace(from.take());  // a large one is not copied
                return;
            }
        } else {
            static_cast<void>(from);
        }
        read_value(reply, outcome_.emplace());
    }
    void fail(error why) noexcept override { outcome_.emplace(std::unexpected(std::move(why))); }

  protected:
    ~single_call() = default;

    std::optional<result<T>> outcome_;
};

template <class T, class... Words>
class [[nodiscard]] command_awaiter final : private single_call<T> {
    static_assert(outlives_its_reply<T>,
                  "the text of a reply is gone when its caller goes on: ask for a std::string or a "
                  "reply instead of a view");

  public:
    command_awaiter(client_core& core, const call_options& options, const Words&... words) noexcept
        : single_call<T>(options), core_(core), words_(words...) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir::detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        return core_.submit(*this, task.promise().context(), task);
    }

    result<T> await_resume() { return std::move(*this->outcome_); }

  private:
    void encode(resp::command_buffer& out) override {
        std::apply([&out](const Words&... words) { out.add(words...); }, words_);
    }

    client_core& core_;
    std::tuple<const Words&...> words_;
};

}  // namespace weir::redisq::detail
