// scope: owns the tasks that it spawned; nobody leaves it before they have ended.
//
//     weir::task<> serve_both(weir::scope& s) {
//         s.spawn(serve, 80);
//         s.spawn(serve, 443);
//         co_return;
//     }
//     co_await weir::with_scope(serve_both);   // ends when both have ended
//
// The first failure stops the siblings; when all have ended, the first error in time is rethrown.
// with_scope also runs its function as one of the siblings, so the function returns and does not
// join. Children start through the ready queue, in the order of spawning.
//
// A stop of the surrounding task reaches every child; join() then throws weir::canceled where one
// of them has ended by it. A stop that the scope was asked for itself (request_stop) ends the
// children, and join() returns.
//
// Lifetime: destroying a scope with live children is a programmer's error and ends the process.
// Memory: one recycled block beside the frame of each child that waits. Where there is none for a
// child whose turn has come, it ends with std::bad_alloc without having run. Thread: one loop's.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "detail/awaited_callable.hpp"
#include "detail/kept_arguments.hpp"
#include "detail/scope_child.hpp"
#include "result.hpp"
#include "task.hpp"

namespace weir {

class scope : private context {
  public:
    // Inside a running task, which becomes the parent.
    scope() noexcept;
    ~scope() override;

    // Starts `child` soon. Also legal after a stop: the child then sees it at its first await.
    // Throws std::bad_alloc, and `child` is destroyed; where it starts behind another child, it may
    // end by that error later instead.
    template <class T>
    void spawn(task<T> child);

    // Starts function(arguments...), which returns a task. Temporaries among the arguments, and a
    // callable with state (a lambda that captures), live as long as that task, whatever its
    // parameters are; what is passed as an lvalue to a reference or a view is the caller's to keep.
    // Arguments of a callable with state are copied or moved.
    template <class F, class... Arguments>
        requires(std::invocable<F, Arguments...>)
    void spawn(F&& function, Arguments&&... arguments) {
        spawn(call(std::forward<F>(function), std::forward<Arguments>(arguments)...));
    }

    // The same, with a name (static storage) for dump(). A child with a name has its block from the
    // start: for want of memory this throws, and the child does not end later.
    template <class T>
    void spawn_named(const char* child_name, task<T> child) {
        spawn_task(std::move(child), child_name);
    }
    template <class F, class... Arguments>
        requires(std::invocable<F, Arguments...>)
    void spawn_named(const char* child_name, F&& function, Arguments&&... arguments) {
        spawn_task(call(std::forward<F>(function), std::forward<Arguments>(arguments)...),
                   child_name);
    }

    // Asks all children to stop. Idempotent.
    void request_stop() noexcept {
        stopped_itself_ = stopped_itself_ || !context::stop_requested();
        context::request_stop();
    }
    [[nodiscard]] bool stop_requested() const noexcept { return context::stop_requested(); }

    // How many children have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return live_; }

    class join_awaiter;
    // Waits for all children, also those that they spawn here meanwhile; then rethrows the first
    // error. Repeatable; one task at a time.
    [[nodiscard]] join_awaiter join() noexcept;

  private:
    friend class detail::scope_child;

    void on_done() noexcept override {}
    template <class F, class... Arguments>
    static auto call(F&& function, Arguments&&... arguments) {
        using callable = std::decay_t<F>;
        if constexpr (std::is_class_v<callable> && !std::is_empty_v<callable>) {
            return keep_and_call<callable, std::decay_t<Arguments>...>(
                std::forward<F>(function), std::forward<Arguments>(arguments)...);
        } else if constexpr (detail::frame_keeps_arguments<callable, Arguments...>) {
            return std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        } else {
            return keep_and_call<callable, Arguments...>(std::forward<F>(function),
                                                         std::forward<Arguments>(arguments)...);
        }
    }
    template <class F, class... Arguments>
    static std::invoke_result_t<F&, Arguments...> keep_and_call(F function,
                                                                Arguments... arguments) {
        co_return co_await std::invoke(function, std::forward<Arguments>(arguments)...);
    }
    template <class T>
    void spawn_task(task<T> child, const char* child_name);
    void add_record(detail::promise_base& body, const detail::child_type& type, const char* name);
    [[nodiscard]] detail::scope_child* record();
    void retire(detail::scope_child& record) noexcept;
    void child_ended() noexcept {
        if (--live_ == 0 && joiner_ != nullptr) {
            std::exchange(joiner_, nullptr)->wake();
        }
    }
    void child_failed(std::exception_ptr error) noexcept;
    void finish_join();

    std::size_t live_ = 0;
    detail::scope_child* spare_ = nullptr;
    detail::scope_child* last_queued_ = nullptr;  // null once it has started
    std::exception_ptr first_error_;
    detail::waiter* joiner_ = nullptr;
    bool stopped_itself_ = false;
    bool child_canceled_ = false;
};

class [[nodiscard]] scope::join_awaiter : private detail::waiter {
  public:
    explicit join_awaiter(scope& target) noexcept : target_(target) {}

    [[nodiscard]] bool await_ready() const noexcept { return target_.live_ == 0; }

    template <detail::weir_promise Promise>
    void await_suspend(std::coroutine_handle<Promise> task) noexcept {
        static constexpr detail::wait_kind kind{"scope join", nullptr};  // ends with the children
        WEIR_ASSERT(target_.joiner_ == nullptr, "one task at a time joins a scope");
        suspend(task.promise().context(), task, kind);
        target_.joiner_ = this;
    }

    void await_resume() { target_.finish_join(); }

  private:
    scope& target_;
};

inline scope::join_awaiter scope::join() noexcept { return join_awaiter(*this); }

namespace detail {

// ref: both live in the frame of the with_scope that waits for this.
template <class T, class F, class... Arguments>
task<> run_body(std::optional<T>& out, scope& s, F& function, Arguments&... arguments) {
    out.emplace(co_await std::invoke(std::move(function), s, std::move(arguments)...));
}

// ref: as above.
template <class F, class... Arguments>
task<> run_void_body(scope& s, F& function, Arguments&... arguments) {
    co_await std::invoke(std::move(function), s, std::move(arguments)...);
}

}  // namespace detail

template <class T>
void scope::spawn(task<T> child) {
    spawn_task(std::move(child), nullptr);
}

template <class T>
void scope::spawn_task(task<T> child, const char* child_name) {
    WEIR_ASSERT(child.valid(), "a task that was moved from cannot be spawned");
    detail::promise_base& body = detail::task_access::handle(child).promise();
    if (child_name == nullptr && last_queued_ != nullptr && loop().is_last_ready(*last_queued_)) {
        last_queued_->follow(body, detail::child_type_of<T>);
    } else {
        add_record(body, detail::child_type_of<T>, child_name);
    }
    ++live_;
    static_cast<void>(detail::task_access::release(child));
}

namespace detail {

template <class F, class... Arguments>
auto run_with_scope(F function, Arguments... arguments)
    -> std::invoke_result_t<F, scope&, Arguments...> {
    using value = typename std::invoke_result_t<F, scope&, Arguments...>::value_type;
    scope s;
    if constexpr (std::is_void_v<value>) {
        s.spawn(detail::run_void_body(s, function, arguments...));
        co_await s.join();
    } else {
        std::optional<value> out;
        s.spawn(detail::run_body<value>(out, s, function, arguments...));
        co_await s.join();
        if (!out) {
            throw canceled();  // the scope was stopped before the function had a value
        }
        co_return std::move(*out);
    }
}

}  // namespace detail

// Runs function(scope&, arguments...), a task, in a scope; ends when it and all that it spawned
// have ended, with its value or the first error. What it shares with its children outlives the
// scope: it stands outside, and is passed by std::ref. With g++ 12, a lambda that captures is named
// first.
template <class F, class... Arguments>
[[nodiscard]] auto with_scope(F&& function, Arguments... arguments)
    -> std::invoke_result_t<std::decay_t<F>, scope&, Arguments...> {
    detail::check_awaited_callable<F>();
    return detail::run_with_scope<std::decay_t<F>, Arguments...>(std::forward<F>(function),
                                                                 std::move(arguments)...);
}

}  // namespace weir
