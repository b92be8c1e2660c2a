// with_timeout and with_deadline: a task that is stopped when its time is up.
//
//     int reply = co_await weir::with_timeout(2s, ask(server));   // or weir::timed_out
//
// When the time is up, the task is asked to stop, and the await ends when it has: a value that it
// still returns is kept. weir::timed_out is thrown where the task ended by that stop; a result
// whose error is operation_canceled for that reason says std::errc::timed_out instead. Other
// exceptions and errors pass through, and a stop from outside is weir::canceled as everywhere.
//
// Instead of a task, a function and its arguments may be given (references by std::ref), whose
// result is awaited: with_timeout(2s, &weir::event::wait, std::ref(ready)).
//
// Thread: the loop's.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "detail/awaited_callable.hpp"
#include "detail/subtask.hpp"
#include "result.hpp"
#include "task.hpp"

namespace weir {

namespace detail {

// Stops a context when its deadline has come.
class stop_timer : private timer_node {
  public:
    stop_timer(context& target, time_point deadline) noexcept
        : timer_node(&expire), target_(target) {
        if (deadline <= target.loop().now()) {
            expire(*this);
        } else {
            target.loop().arm(*this, deadline);
        }
    }
    ~stop_timer() { disarm(); }
    void disarm() noexcept { target_.loop().disarm(*this); }
    [[nodiscard]] bool expired() const noexcept { return expired_; }

  private:
    static void expire(timer_node& timer) noexcept {
        auto& self = static_cast<stop_timer&>(timer);
        self.expired_ = true;
        self.target_.request_stop();
    }

    context& target_;
    bool expired_ = false;
};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

// What co_await makes of an Awaitable.
template <class Awaitable>
auto awaiter_of(Awaitable&& awaited) {
    if constexpr (requires { std::forward<Awaitable>(awaited).operator co_await(); }) {
        return std::type_identity<decltype(std::forward<Awaitable>(awaited).operator co_await())>();
    } else {
        return std::type_identity<Awaitable>();
    }
}
template <class Awaitable>
using awaited_value =
    decltype(std::declval<typename decltype(awaiter_of(std::declval<Awaitable>()))::type&>()
                 .await_resume());

// Calls where it awaits, since most awaiters cannot be moved.
template <class F, class... Arguments>
auto await_call(F function, Arguments... arguments)
    -> task<awaited_value<std::invoke_result_t<F&, Arguments...>>> {
    co_return co_await std::invoke(function, std::move(arguments)...);
}

}  // namespace detail

// `deadline` is in the loop's time; one that has passed stops the task at its first await.
template <class T>
[[nodiscard]] task<T> with_deadline(time_point deadline, task<T> body) {
    detail::subtask<T> child(std::move(body));
    detail::stop_timer timer(child, deadline);
    co_await child;
    timer.disarm();
    const bool by_timer = timer.expired() && !child.parent()->stop_requested();
    if (by_timer && detail::is_canceled(child.error())) {
        throw timed_out();
    }
    if constexpr (detail::is_result<T>) {
        T value = child.take();
        if (by_timer && !value && value.error() == std::errc::operation_canceled) {
            value = std::unexpected(std::make_error_code(std::errc::timed_out));
        }
        co_return value;
    } else {
        co_return child.take();
    }
}

// The time runs from when the await starts.
template <class T>
[[nodiscard]] task<T> with_timeout(duration length, task<T> body) {
    const time_point deadline = saturating_add(scheduler::current()->now(), length);
    co_return co_await with_deadline(deadline, std::move(body));
}

// The same for what function(arguments...) returns, anything that can be awaited.
template <class F, class... Arguments>
    requires(std::invocable<std::decay_t<F>&, std::decay_t<Arguments>...>)
[[nodiscard]] auto with_deadline(time_point deadline, F&& function, Arguments&&... arguments) {
    detail::check_awaited_callable<F>();
    return with_deadline(deadline,
                         detail::await_call<std::decay_t<F>, std::decay_t<Arguments>...>(
                             std::forward<F>(function), std::forward<Arguments>(arguments)...));
}
template <class F, class... Arguments>
    requires(std::invocable<std::decay_t<F>&, std::decay_t<Arguments>...>)
[[nodiscard]] auto with_timeout(duration length, F&& function, Arguments&&... arguments) {
    detail::check_awaited_callable<F>();
    return with_timeout(length,
                        detail::await_call<std::decay_t<F>, std::decay_t<Arguments>...>(
                            std::forward<F>(function), std::forward<Arguments>(arguments)...));
}

}  // namespace weir
