// The awaiter of post(). Where a slot is free, the callable is invoked straight from here and its
// body begins in place. Otherwise it goes the common way (submit_waiter): as a closure, which moves
// into the queue or a slot's record, or, where it is too large for those, as a job of its own.
#pragma once

#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "make_job.hpp"
#include "pool_core.hpp"
#include "posted_job.hpp"

namespace weir::detail {

// The common way of what nobody reads.
class detached_waiter : public submit_waiter {
  public:
    explicit detached_waiter(job& submitted) noexcept : submit_waiter(submitted, true, false) {}
    detached_waiter(pool_core& target, const closure_ops& ops, void* closure) noexcept
        : submit_waiter(target, ops, closure) {}
    bool start(context& task, std::coroutine_handle<> resume) { return begin(task, resume); }
    void finish() const { check(); }
};

// Whether a body that is called with what stands in a closure cannot refer to that: then the
// closure may go while the body goes on. A parameter is safe where it is the argument itself, or
// too simple to point into it; one that is made of something else (a string_view of a string) may
// be a view. Of a callable that is no function pointer, only the call without arguments is known.
template <class P, class A>
inline constexpr bool keeps_no_argument =
    std::is_same_v<std::remove_cv_t<P>, A> || std::is_arithmetic_v<P> || std::is_enum_v<P> ||
    (std::is_pointer_v<P> && (std::is_pointer_v<A> || std::is_null_pointer_v<A>)) ||
    std::is_same_v<A, std::reference_wrapper<std::remove_reference_t<P>>>;
template <class F, class... A>
inline constexpr bool keeps_no_closure = is_task<F> || (std::is_empty_v<F> && sizeof...(A) == 0);
template <class R, class... P, class... A>
    requires(sizeof...(P) == sizeof...(A))
inline constexpr bool keeps_no_closure<R (*)(P...), A...> = (keeps_no_argument<P, A> && ...);
template <class R, class... P, class... A>
    requires(sizeof...(P) == sizeof...(A))
inline constexpr bool keeps_no_closure<R (*)(P...) noexcept, A...> =
    (keeps_no_argument<P, A> && ...);

// What post() without submit_options has in their place: nothing.
struct default_options {};

// F and A are decayed; Options is submit_options or default_options.
template <class Options, class F, class... A>
class [[nodiscard]] post_awaiter {
    using closure = std::tuple<F, A...>;
    using ops = closure_ops_for<closure>;
    using call_type = typename ops::call_type;
    static constexpr bool has_options = !std::is_same_v<Options, default_options>;
    static constexpr bool is_inline = !has_options && fits_inline<closure>;
    // What the body can see of the closure has to outlive it, which is not so here.
    static constexpr bool starts_in_place =
        !has_options && is_task<call_type> && keeps_no_closure<F, A...>;

  public:
    template <class G, class... B>
    post_awaiter(pool_core& target, const Options& options, G&& function, B&&... arguments)
        : target_(target),
          options_(options),
          closure_(std::forward<G>(function), std::forward<B>(arguments)...) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        context& caller = task.promise().context();
        if constexpr (starts_in_place) {
            if (posted_job* const record = target_.begin_in_place(caller)) [[likely]] {
                start_in_place(*record);
                return false;
            }
        }
        if constexpr (is_inline) {
            waiter_.emplace(target_, ops::table, &closure_);
        } else {
            job& made = *ops::make_job(target_, &closure_);
            waiter_.emplace(made);
            if constexpr (has_options) {
                made.set_options(options_);
            }
        }
        return waiter_->start(caller, task);
    }

    void await_resume() const {
        if (waiter_) [[unlikely]] {
            waiter_->finish();
        }
    }

  private:
    void start_in_place(posted_job& record) noexcept {
        call_type body;
        try {
            body = ops::call(closure_);
        } catch (...) {
            target_.end_in_place(record, std::current_exception());
            return;
        }
        record.run_in_place(target_, std::move(body));
    }

    pool_core& target_;
    [[no_unique_address]] Options options_;
    closure closure_;
    std::optional<detached_waiter> waiter_;
};

template <class T>
void posted_job::run_in_place(pool_core& owner, task<T> body) noexcept {
    const std::coroutine_handle<promise<T>> handle = task_access::release(body);
    WEIR_ASSERT(handle, "a job needs a task that was not moved from");
    scheduler& on = owner.loop();
    if (!begin_body<T>(on, handle)) [[unlikely]] {
        --on.in_place_depth;
        return;
    }
    if (error_ != nullptr) [[unlikely]] {
        owner.end_in_place(*this, std::exchange(error_, nullptr));
        return;
    }
    owner.end_in_place(*this);
}

template <class F, class... A>
job* closure_ops_for<std::tuple<F, A...>>::make_job(pool_core& owner, void* source) {
    return std::apply(
        [&owner](F& function, A&... arguments) -> job* {
            return weir::detail::make_job<detached_result>(owner, std::move(function),
                                                           std::move(arguments)...);
        },
        at(source));
}

}  // namespace weir::detail
