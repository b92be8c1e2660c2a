// blocking: runs a call that blocks (or computes for long) on a thread of an offload pool, while
// the loop goes on with other tasks.
//
//     const std::string text = co_await weir::blocking(read_whole_file, std::string("/etc/hosts"));
//
// The callable and its arguments are decay-copied into the frame of the awaiting task (std::ref for
// a reference) and destroyed there, when the call has ended; handing them over allocates nothing.
// Where all threads of the pool are busy, calls wait their turn in the order in which they were
// awaited, from all loops together: backpressure is that the caller waits. try_blocking() does not
// wait behind a full queue: it yields thread_errc::full.
//
// A callable that takes a std::stop_token as its first argument is given one, as with std::jthread.
//
// Stopping: a call that has not begun is withdrawn, and the await throws weir::canceled. One that
// runs cannot be interrupted, since what it uses may be its caller's: its token is asked to stop
// (on the loop's thread), and the await ends when the call has ended, by its value or exception.
//
// On virtual time (manual_clock) nothing waits for a call: a deadline around it comes as soon as
// the loop is idle.
//
// Errors: what the callable throws; weir::canceled; std::system_error when the pool has no thread
// and the system refuses one (pthread_create(3)), or when the pool is of the parent process
// (thread_errc::forked); std::bad_alloc for a token or the default pool.
// Lifetime: the pool outlives the await. Thread: the loop's; the callable runs on a thread of the
// pool, where no loop runs and all signals are blocked.
#pragma once

#include <expected>
#include <functional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../detail/awaited_callable.hpp"
#include "../result.hpp"
#include "detail/call_outcome.hpp"
#include "offload_pool.hpp"

namespace weir {

namespace detail {

// What a decayed callable yields; with a stop token first where it takes one.
template <class F, class... Arguments>
struct blocking_call {
    static constexpr bool takes_token = false;
    using type = std::invoke_result_t<F, Arguments...>;
};
template <class F, class... Arguments>
    requires std::invocable<F, std::stop_token, Arguments...>
struct blocking_call<F, Arguments...> {
    static constexpr bool takes_token = true;
    using type = std::invoke_result_t<F, std::stop_token, Arguments...>;
};

template <class F, class... Arguments>
concept blocking_callable =
    std::invocable<F, Arguments...> || std::invocable<F, std::stop_token, Arguments...>;

struct no_stop_source {};

}  // namespace detail

// F and Arguments are decayed. `Bounded`: of try_blocking.
template <bool Bounded, class F, class... Arguments>
class [[nodiscard]] blocking_awaiter : private detail::offload_job {
    using call = detail::blocking_call<F, Arguments...>;
    using value = typename call::type;
    static_assert(!detail::is_task<value>,
                  "blocking() runs plain functions; a task is awaited on the loop");
    static_assert(!Bounded || !std::is_reference_v<value>,
                  "try_blocking() yields a std::expected, which holds no reference");

  public:
    template <class G, class... A>
    explicit blocking_awaiter(detail::offload_core& core, G&& function, A&&... arguments)
        : pool_(core),
          function_(std::forward<G>(function)),
          arguments_(std::forward<A>(arguments)...) {}
    blocking_awaiter(const blocking_awaiter&) = delete;
    blocking_awaiter& operator=(const blocking_awaiter&) = delete;
    ~blocking_awaiter() = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <detail::weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return begin(pool_, task.promise().context(), task, Bounded);
    }

    std::conditional_t<Bounded, result<value>, value> await_resume() {
        if constexpr (Bounded) {
            if (refusal() == thread_errc::full) {
                return std::unexpected(refusal());
            }
            throw_if_not_run();
            if constexpr (std::is_void_v<value>) {
                outcome_.take();
                return {};
            } else {
                return outcome_.take();
            }
        } else {
            throw_if_not_run();
            return outcome_.take();
        }
    }

  private:
    void run() noexcept override {
        outcome_.run([this]() -> value { return invoke(); });
    }

    void ask_to_stop() noexcept override {
        if constexpr (call::takes_token) {
            stop_.request_stop();
        }
    }

    value invoke() {
        return std::apply(
            [this](Arguments&... arguments) -> value {
                if constexpr (call::takes_token) {
                    return std::invoke(std::move(function_), stop_.get_token(),
                                       std::move(arguments)...);
                } else {
                    return std::invoke(std::move(function_), std::move(arguments)...);
                }
            },
            arguments_);
    }

    detail::offload_core& pool_;
    F function_;
    std::tuple<Arguments...> arguments_;
    detail::call_outcome<value> outcome_;
    [[no_unique_address]] std::conditional_t<call::takes_token, std::stop_source,
                                             detail::no_stop_source> stop_;
};

// Runs function(arguments...) on a thread of `pool`; yields what it returns.
template <class F, class... Arguments>
    requires detail::blocking_callable<std::decay_t<F>, std::decay_t<Arguments>...>
[[nodiscard]] auto blocking(offload_pool& pool, F&& function, Arguments&&... arguments) {
    detail::check_awaited_callable<F>();
    return blocking_awaiter<false, std::decay_t<F>, std::decay_t<Arguments>...>(
        pool.core(), std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

// The same on the default pool.
template <class F, class... Arguments>
    requires detail::blocking_callable<std::decay_t<F>, std::decay_t<Arguments>...>
[[nodiscard]] auto blocking(F&& function, Arguments&&... arguments) {
    detail::check_awaited_callable<F>();
    return blocking_awaiter<false, std::decay_t<F>, std::decay_t<Arguments>...>(
        default_offload_pool().core(), std::forward<F>(function),
        std::forward<Arguments>(arguments)...);
}

// As blocking(), but yields a result<T>: std::unexpected (thread_errc::full), and nothing is run,
// where all threads of `pool` are busy and queue_max calls wait.
template <class F, class... Arguments>
    requires detail::blocking_callable<std::decay_t<F>, std::decay_t<Arguments>...>
[[nodiscard]] auto try_blocking(offload_pool& pool, F&& function, Arguments&&... arguments) {
    detail::check_awaited_callable<F>();
    return blocking_awaiter<true, std::decay_t<F>, std::decay_t<Arguments>...>(
        pool.core(), std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

}  // namespace weir
