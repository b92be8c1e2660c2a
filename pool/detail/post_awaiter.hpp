// The awaiter of post(). Where a slot is free, the callable is invoked straight from here and its
// body begins in place, without a job of its own being built; in all other cases the callable moves
// into a job that goes the common way (submit_waiter).
#pragma once

#include <optional>
#include <tuple>
#include <utility>

#include "../pool.hpp"
#include "in_place_job.hpp"

namespace weir::detail {

// The common way of a job that nobody reads.
class detached_waiter : public submit_waiter {
  public:
    explicit detached_waiter(job& submitted) noexcept : submit_waiter(submitted, true, false) {}
    bool start(context& task, std::coroutine_handle<> resume) noexcept {
        return begin(task, resume);
    }
    void finish() const { check(); }
};

// F and A are decayed; Options is submit_options or default_options.
template <class Options, class F, class... A>
class [[nodiscard]] post_awaiter {
    using call_type = typename call_result<F, A...>::type;
    // A callable with state has to stay where its body can see it, so it needs a job to live in.
    static constexpr bool starts_in_place =
        std::is_same_v<Options, default_options> && is_task<call_type> &&
        (is_task<F> || std::is_pointer_v<F> || std::is_empty_v<F>);

  public:
    template <class G, class... B>
    post_awaiter(pool& target, const Options& options, G&& function, B&&... arguments)
        : target_(target),
          options_(options),
          closure_(std::forward<G>(function), std::forward<B>(arguments)...) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) {
        context& caller = task.promise().context();
        if constexpr (starts_in_place) {
            if (in_place_job* const job = target_.begin_in_place(caller)) [[likely]] {
                start_in_place(*job);
                return false;
            }
        }
        auto* const made = std::apply(
            [this](F& function, A&... arguments) {
                return target_.template make_unchecked<detached_result>(std::move(function),
                                                                        std::move(arguments)...);
            },
            closure_);
        waiter_.emplace(*made);
        if constexpr (!std::is_same_v<Options, default_options>) {
            made->set_options(options_);
        }
        return waiter_->start(caller, task);
    }

    void await_resume() const {
        if (waiter_) [[unlikely]] {
            waiter_->finish();
        }
    }

  private:
    call_type call() {
        if constexpr (is_task<F>) {
            return std::get<0>(std::move(closure_));
        } else {
            return std::apply(
                [](F& function, A&... arguments) {
                    return std::invoke(function, std::move(arguments)...);
                },
                closure_);
        }
    }

    void start_in_place(in_place_job& job) noexcept {
        scheduler& loop = job.loop();
        context* const previous = loop.exchange_running(&job);
        call_type body;
        try {
            body = call();
        } catch (...) {
            target_.fail_in_place(job, std::current_exception());
        }
        if (body.valid()) [[likely]] {
            const auto handle = task_access::handle(body);
            handle.promise().set_context(job);
            handle.resume();
        }
        loop.exchange_running(previous);
        --loop.in_place_depth;
        if (!body.valid() || task_access::handle(body).done()) [[likely]] {
            end_in_place(job, body);
        } else {
            job.adopt(body);
        }
    }

    void end_in_place(in_place_job& job, call_type& body) noexcept {
        if (body.valid()) [[likely]] {
            auto& promise = task_access::handle(body).promise();
            if (promise.failed()) [[unlikely]] {
                target_.fail_in_place(job, promise.error());
            }
        }
        body = call_type();
        target_.end_in_place(job);
    }

    pool& target_;
    [[no_unique_address]] Options options_;
    std::tuple<F, A...> closure_;
    std::optional<detached_waiter> waiter_;
};

}  // namespace weir::detail
