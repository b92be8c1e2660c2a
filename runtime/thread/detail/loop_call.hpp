// A call that runs on a loop's thread and whose result goes into a std::future.
//
// Order at its end: the frame of the call and its arguments are destroyed, the ticket is given
// back, then the future is ready: who waits for it finds both done.
#pragma once

#include <future>
#include <type_traits>
#include <utility>

#include "../../this_task.hpp"
#include "call_outcome.hpp"
#include "loop_thread.hpp"

namespace weir::detail {

template <class R>
struct value_of_call {
    using type = R;
};
template <class T>
struct value_of_call<task<T>> {
    using type = T;
};

// What F(Arguments...) yields on a loop, where F may return a task. As deduced, or decayed.
template <class F, class... Arguments>
using loop_value = typename value_of_call<
    std::invoke_result_t<std::decay_t<F>&, std::decay_t<Arguments>...>>::type;

template <class F, class... Arguments>
concept loop_callable = std::invocable<std::decay_t<F>&, std::decay_t<Arguments>...>;

// The promise of a call, and its ticket. Move-only.
template <class T>
class settlement {
  public:
    explicit settlement(loop_thread::ticket place) : place_(std::move(place)) {}
    settlement(settlement&&) noexcept = default;
    settlement& operator=(settlement&&) = delete;
    // A call that was given up before its start: there was no memory for it.
    ~settlement() {
        if (place_.valid()) {
            call_outcome<T> none;
            none.fail(std::make_exception_ptr(std::bad_alloc()));
            settle(none);
        }
    }

    [[nodiscard]] std::future<T> future() { return promise_.get_future(); }

    void settle(call_outcome<T>& outcome) noexcept {
        place_.leave(outcome.error());
        try {
            if constexpr (std::is_void_v<T>) {
                outcome.take();
                promise_.set_value();
            } else {
                promise_.set_value(outcome.take());
            }
        } catch (...) {
            promise_.set_exception(std::current_exception());
        }
    }

  private:
    loop_thread::ticket place_;
    std::promise<T> promise_;
};

// Keeps the callable alive while the task that it returned runs.
template <class T, class F, class... Arguments>
task<T> call_on_loop(F function, Arguments... arguments) {
    if constexpr (is_task<std::invoke_result_t<F&, Arguments...>>) {
        co_return co_await std::invoke(function, std::move(arguments)...);
    } else {
        co_return std::invoke(function, std::move(arguments)...);
    }
}

template <class T>
task<> settle_call(settlement<T> result, task<T> call) {
    call_outcome<T> outcome;
    try {
        task<T> body = std::move(call);
        const bool stopped = co_await stop_requested();
        if (stopped) {
            throw canceled();  // stopped before it began
        }
        if constexpr (std::is_void_v<T>) {
            co_await std::move(body);
            outcome.set();
        } else {
            outcome.set(co_await std::move(body));
        }
    } catch (...) {
        outcome.fail(std::current_exception());
    }
    result.settle(outcome);
}

// Starts function(arguments...) on the loop of `place`, which the call keeps to its end. Throws
// what copying the arguments throws, and std::bad_alloc.
template <class F, class... Arguments>
std::future<loop_value<F, Arguments...>> start_call(loop_thread::ticket place, F&& function,
                                                    Arguments&&... arguments) {
    using value = loop_value<F, Arguments...>;
    loop_thread& where = place.where();
    task<value> call = call_on_loop<value, std::decay_t<F>, std::decay_t<Arguments>...>(
        std::forward<F>(function), std::forward<Arguments>(arguments)...);
    settlement<value> result(std::move(place));
    std::future<value> future = result.future();
    where.start(settle_call<value>(std::move(result), std::move(call)));
    return future;
}

}  // namespace weir::detail
