// Jobs by what they run and where their result goes.
//
// callable_job<Result, F, Arguments...> keeps the callable and its arguments, invokes it once and
// runs the task that it returns (a callable may also return a plain value). Result is one of
//   detached_result       post: nobody reads it
//   held_result<T>        submit and run: a handle or awaiter reads it
//   promise_result<T, P>  submit_into and submit_from_thread: a promise takes it; P is one of
//                         owned_promise and borrowed_promise
#pragma once

#include <functional>
#include <future>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "../../runtime/task.hpp"
#include "../../runtime/when_all.hpp"
#include "../owned.hpp"
#include "job.hpp"

namespace weir::detail {

class detached_result : public job {
  public:
    using job::job;

  protected:
    template <class... V>
    void set_value(V&&...) noexcept {
        outcome_ = job_outcome::value;
    }
    void set_error(std::exception_ptr error) noexcept {
        outcome_ = job_outcome::error;
        error_ = std::move(error);
    }
    [[nodiscard]] std::exception_ptr error() const noexcept override { return error_; }
    void replace_error(std::exception_ptr error) noexcept override { error_ = std::move(error); }

  private:
    std::exception_ptr error_;
};

template <class T>
class held_result : public job {
  public:
    using job::job;

    // Moves the value out or rethrows. Requires finished().
    T take() {
        if (std::holds_alternative<std::exception_ptr>(value_)) {
            std::rethrow_exception(std::get<std::exception_ptr>(std::move(value_)));
        }
        WEIR_ASSERT(value_.index() == 1, "the result of a job that has not ended");
        if constexpr (!std::is_void_v<T>) {
            return std::get<1>(std::move(value_));
        }
    }

  protected:
    template <class... V>
    void set_value(V&&... value) {
        value_.template emplace<1>(std::forward<V>(value)...);
        outcome_ = job_outcome::value;
    }
    void set_error(std::exception_ptr error) noexcept {
        outcome_ = job_outcome::error;
        value_.template emplace<2>(std::move(error));
    }
    [[nodiscard]] std::exception_ptr error() const noexcept override {
        return value_.index() == 2 ? std::get<2>(value_) : nullptr;
    }
    void replace_error(std::exception_ptr error) noexcept override {
        value_.template emplace<2>(std::move(error));
    }

  private:
    std::variant<std::monostate, stored_value<T>, std::exception_ptr> value_;
};

// A promise of the job's own, or the caller's.
template <class Promise>
struct owned_promise {
    Promise promise{};
    Promise& get() noexcept { return promise; }
};
template <class Promise>
struct borrowed_promise {
    Promise* promise = nullptr;
    Promise& get() noexcept { return *promise; }
};

template <class T, class Holder>
class promise_result : public held_result<T> {
  public:
    using held_result<T>::held_result;

    Holder holder{};

  protected:
    // A promise that others have satisfied refuses; the job itself has ended well.
    void deliver() noexcept override {
        try {
            if (const std::exception_ptr error = this->error()) {
                holder.get().set_exception(error);
            } else if constexpr (std::is_void_v<T>) {
                holder.get().set_value();
            } else {
                holder.get().set_value(this->take());
            }
        } catch (...) {
            report_unobserved(*this, std::current_exception());
        }
    }
    [[nodiscard]] bool is_observed() const noexcept override { return true; }
};

// The result of a job from a thread, which may have to wait for a place without a submitter.
template <class T>
class thread_result : public promise_result<T, owned_promise<std::promise<T>>> {
  public:
    thread_result(pool_core& owner, scheduler& loop)
        : promise_result<T, owned_promise<std::promise<T>>>(owner, loop) {
        parking.from_thread = this;
    }

    parked_item parking;
};

template <class F, class... Arguments>
struct call_result {
    using type = std::invoke_result_t<F&, Arguments...>;
};
template <class T>
struct call_result<task<T>> {
    using type = task<T>;
};

template <class R>
struct unwrap_task {
    using type = R;
};
template <class T>
struct unwrap_task<task<T>> {
    using type = T;
};

template <class T>
struct checked_value {
    static_assert(
        !std::is_reference_v<T>,
        "a job yields a value, since what a reference names may have gone when the result "
        "is read; return a value, a pointer or a std::reference_wrapper");
    using type = T;
};

// What a job made of F and Arguments (as deduced) yields.
template <class F, class... Arguments>
using job_value = typename checked_value<typename unwrap_task<
    typename call_result<std::decay_t<F>, std::decay_t<Arguments>...>::type>::type>::type;

// F and Arguments are decayed.
template <class Result, class F, class... Arguments>
class callable_job final : public Result {
    using call_type = typename call_result<F, Arguments...>::type;
    using value_type = typename unwrap_task<call_type>::type;
    using closure = std::tuple<F, Arguments...>;
    static_assert(alignof(closure) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                  "a job's callable or argument is aligned more strictly than operator new aligns; "
                  "pass it in a std::unique_ptr");

  public:
    template <class G, class... A>
    callable_job(pool_core& owner, scheduler& loop, G&& function, A&&... arguments)
        : Result(owner, loop) {
        std::construct_at(&closure_, std::forward<G>(function), std::forward<A>(arguments)...);
        has_closure_ = true;
    }

    void on_done() noexcept override {
        collect();
        job_ended(*this);
    }

  private:
    ~callable_job() override { destroy_closure(); }

    void destroy_closure() noexcept {
        if (has_closure_) {
            has_closure_ = false;
            std::destroy_at(&closure_);
        }
    }

    void abandon(std::exception_ptr why) noexcept override {
        destroy_closure();
        this->set_error(std::move(why));
    }

    void run() noexcept override {
        try {
            if constexpr (is_task<call_type>) {
                body_ = call();
                WEIR_ASSERT(body_.valid(), "a job needs a task that was not moved from");
            } else {
                call_plain();
            }
        } catch (...) {
            this->set_error(std::current_exception());
        }
        if constexpr (is_task<call_type>) {
            if (body_.valid()) {
                start_body();
                return;
            }
        }
        destroy_closure();
        job_ended(*this);
    }

    // The function stays in the closure, alive beyond the frame; the arguments are moved on.
    call_type call() {
        if constexpr (is_task<F>) {
            return std::get<0>(std::move(closure_));
        } else {
            return std::apply(
                [](F& function, Arguments&... arguments) -> call_type {
                    return std::invoke(function, std::move(arguments)...);
                },
                closure_);
        }
    }

    void call_plain() {
        if constexpr (std::is_void_v<value_type>) {
            call();
            this->set_value();
        } else {
            this->set_value(call());
        }
    }

    void start_body() noexcept {
        auto handle = task_access::handle(body_);
        handle.promise().set_context(*this);
        context* const previous = this->loop().exchange_running(this);
        handle.resume();
        this->loop().exchange_running(previous);
        if (handle.done()) {
            on_done();
        } else {
            handle.promise().set_continuation(continuation(*this));
        }
    }

    // Takes the body's result, then destroys its frame, then the callable.
    void collect() noexcept {
        if constexpr (is_task<call_type>) {
            auto& promise = task_access::handle(body_).promise();
            try {
                if (std::exception_ptr error = promise.error()) [[unlikely]] {
                    this->set_error(std::move(error));
                } else if constexpr (std::is_void_v<value_type>) {
                    this->set_value();
                } else {
                    this->set_value(promise.take());
                }
            } catch (...) {
                this->set_error(std::current_exception());
            }
            body_ = call_type();
            destroy_closure();
        }
    }

    struct no_body {};
    union {
        closure closure_;
    };
    bool has_closure_ = false;
    [[no_unique_address]] std::conditional_t<is_task<call_type>, call_type, no_body> body_;
};

}  // namespace weir::detail
