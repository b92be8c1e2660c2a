// batch_submit and batch_run: a range of jobs at once. See pool.hpp for what they promise.
//
//     std::vector<std::string> pages = co_await p.batch_run(fetch, urls);
#pragma once

#include <exception>
#include <ranges>
#include <utility>
#include <vector>

#include "../runtime/this_task.hpp"
#include "pool.hpp"

namespace weir {

namespace detail {

// Whether the batch, which has the range by value, has its elements with it.
template <class Range>
inline constexpr bool owns_elements = !std::ranges::view<Range>;
template <class Container>
inline constexpr bool owns_elements<std::ranges::owning_view<Container>> = true;

// An element as it is given to a job: what cannot be copied leaves its range.
template <class Range, class Element>
[[nodiscard]] decltype(auto) leave_range(Element&& element) noexcept {
    if constexpr (!std::is_lvalue_reference_v<Element> ||
                  std::is_copy_constructible_v<std::decay_t<Element>>) {
        return std::forward<Element>(element);
    } else {
        static_assert(owns_elements<Range>,
                      "a view does not own its elements: those that cannot be copied are passed "
                      "with their container, which is moved into the batch");
        // NOLINTNEXTLINE(bugprone-move-forwarding-reference): leaving the range is what is meant
        return std::move(element);
    }
}

// Calls an element of a range of callables or tasks.
struct call_element {
    submit_options options;

    template <class T>
    auto submit(pool& target, task<T>&& element) {
        return target.submit(options, std::move(element));
    }
    template <class Element>
    auto submit(pool& target, Element&& element) {
        owned<std::decay_t<Element>> callable(std::forward<Element>(element));
        return target.submit(options, std::move(callable));
    }
};

// Calls one function with each element.
template <class F>
struct call_function {
    submit_options options;
    F function;

    template <class Element>
    auto submit(pool& target, Element&& element) {
        return target.submit(options, function, std::forward<Element>(element));
    }
};

template <class Call, class Range>
using batch_handle =
    decltype(std::declval<Call&>()
                 .submit(std::declval<pool&>(),
                         leave_range<Range>(std::declval<std::ranges::range_reference_t<Range>>()))
                 .await_resume());

template <class Range>
void reserve_for(auto& handles, Range& range) {
    if constexpr (std::ranges::sized_range<Range>) {
        handles.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    }
}

// ref: the pool outlives its batches.
template <class Call, class Range>
task<std::vector<batch_handle<Call, Range>>> batch_submit_all(pool& target, Call call,
                                                              Range range) {
    std::vector<batch_handle<Call, Range>> handles;
    reserve_for(handles, range);
    for (auto&& element : range) {
        auto submitted =
            call.submit(target, leave_range<Range>(std::forward<decltype(element)>(element)));
        handles.push_back(co_await submitted);
    }
    co_return handles;
}

// The jobs of one batch_run: the first failure, or a stop of the caller, cancels them all.
// Lives in the frame of batch_run_all until every job has ended.
template <class T>
class batch_jobs final : private job_watcher, private stop_listener {
  public:
    explicit batch_jobs(context& caller) noexcept { caller.add_stop_listener(*this); }
    batch_jobs(const batch_jobs&) = delete;
    batch_jobs& operator=(const batch_jobs&) = delete;
    ~batch_jobs() { unlink(); }

    [[nodiscard]] bool failed() const noexcept { return first_error_ != nullptr; }

    // Called before the next submit, so that add() cannot fail.
    void make_room() {
        if (handles.size() == handles.capacity()) {
            handles.reserve(handles.capacity() == 0 ? 16 : 2 * handles.capacity());
        }
    }

    void add(join_handle<T> handle) noexcept {
        handles.push_back(std::move(handle));
        watch(handles.back());
        if (failed()) {
            handles.back().cancel();
        }
    }

    void fail(std::exception_ptr why) noexcept {
        if (first_error_ == nullptr) {
            first_error_ = std::move(why);
            for (join_handle<T>& handle : handles) {
                handle.cancel();
            }
        }
    }

    void rethrow_failure() const {
        if (first_error_ != nullptr) {
            std::rethrow_exception(first_error_);
        }
    }

    std::vector<join_handle<T>> handles;

  private:
    void watch(join_handle<T>& handle) noexcept { handle.watch(*this); }
    void job_failed(std::exception_ptr error) noexcept override { fail(std::move(error)); }
    void on_stop() noexcept override { fail(std::make_exception_ptr(canceled())); }

    std::exception_ptr first_error_;
};

template <class T>
struct handle_value;
template <class T>
struct handle_value<join_handle<T>> {
    using type = T;
};

// ref: the pool outlives its batches.
template <class T, class Call, class Range>
task<batch_values<T>> batch_run_all(pool& target, Call call, Range range) {
    context& caller = co_await context_awaiter();
    batch_jobs<T> batch(caller);
    reserve_for(batch.handles, range);
    try {
        for (auto&& element : range) {
            batch.make_room();
            auto submitted =
                call.submit(target, leave_range<Range>(std::forward<decltype(element)>(element)));
            // Who waits for the caller inside the batch is refused, so that ended() below is not.
            submitted.belongs_to(caller);
            batch.add(co_await submitted);
            if (batch.failed()) {
                break;
            }
        }
    } catch (...) {
        batch.fail(std::current_exception());
    }
    for (join_handle<T>& handle : batch.handles) {
        co_await handle.ended();
        WEIR_ASSERT(handle.done(), "no job of a batch waits for the batch");
    }
    batch.rethrow_failure();
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> values;
        values.reserve(batch.handles.size());
        for (join_handle<T>& handle : batch.handles) {
            values.push_back(handle.take());
        }
        co_return values;
    }
}

}  // namespace detail

template <std::ranges::input_range Range>
auto pool::batch_submit(Range range) {
    return batch_submit(submit_options(), std::move(range));
}

template <std::ranges::input_range Range>
auto pool::batch_submit(const submit_options& options, Range range) {
    return detail::batch_submit_all(*this, detail::call_element{options}, std::move(range));
}

template <detail::submittable F, std::ranges::input_range Range>
auto pool::batch_submit(F&& function, Range range) {
    return batch_submit(submit_options(), std::forward<F>(function), std::move(range));
}

template <class F, std::ranges::input_range Range>
auto pool::batch_submit(const submit_options& options, F&& function, Range range) {
    detail::check_callable<F>();
    using call = detail::call_function<std::decay_t<F>>;
    return detail::batch_submit_all(*this, call{options, std::forward<F>(function)},
                                    std::move(range));
}

template <std::ranges::input_range Range>
auto pool::batch_run(Range range) {
    return batch_run(submit_options(), std::move(range));
}

template <std::ranges::input_range Range>
auto pool::batch_run(const submit_options& options, Range range) {
    using T =
        typename detail::handle_value<detail::batch_handle<detail::call_element, Range>>::type;
    return detail::batch_run_all<T>(*this, detail::call_element{options}, std::move(range));
}

template <detail::submittable F, std::ranges::input_range Range>
auto pool::batch_run(F&& function, Range range) {
    return batch_run(submit_options(), std::forward<F>(function), std::move(range));
}

template <class F, std::ranges::input_range Range>
auto pool::batch_run(const submit_options& options, F&& function, Range range) {
    detail::check_callable<F>();
    using call = detail::call_function<std::decay_t<F>>;
    using T = typename detail::handle_value<detail::batch_handle<call, Range>>::type;
    return detail::batch_run_all<T>(*this, call{options, std::forward<F>(function)},
                                    std::move(range));
}

}  // namespace weir
