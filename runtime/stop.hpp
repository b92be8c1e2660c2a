// Stopping by hand: a stop source of one loop, and adapters from and to std::stop_token.
//
//     weir::stop_source source;
//     co_await weir::with_stop(source, poll_for_ever());   // until source.request_stop()
//
// The task that with_stop runs sees the stop of the source as well as that of its surroundings; a
// task that ends by it throws weir::canceled, which with_stop passes on.
//
// Thread: stop_source is the loop's; a std::stop_token may be stopped by any thread.
#pragma once

#include <memory>
#include <stop_token>

#include "detail/subtask.hpp"
#include "event_loop.hpp"
#include "result.hpp"
#include "this_task.hpp"

namespace weir {

// Lifetime: outlives what runs under it (asserted in debug builds).
class stop_source {
  public:
    stop_source() = default;

    // Idempotent. What runs under the source is stopped, and what comes later at its first await.
    void request_stop() noexcept;
    [[nodiscard]] bool stop_requested() const noexcept { return stop_requested_; }

    void add(detail::stop_listener& listener) noexcept;

  private:
    detail::intrusive_list<detail::stop_listener> listeners_;
    bool stop_requested_ = false;
};

namespace detail {

// Passes the stop of a source on to a context.
class stop_link final : public stop_listener {
  public:
    stop_link(stop_source& source, context& target) noexcept : target_(target) {
        source.add(*this);
    }
    ~stop_link() {
        if (is_linked()) {
            unlink();
        }
    }
    void on_stop() noexcept override { target_.request_stop(); }

  private:
    context& target_;
};

// Passes the stop of a std::stop_token, from any thread, on to a context of this loop.
class std_stop_link {
  public:
    std_stop_link(const std::stop_token& token, context& target);
    ~std_stop_link();

  private:
    struct target_slot {
        context* target;  // the loop's thread; null when the link is gone
    };
    struct forward {
        void operator()() const noexcept;
        event_loop* loop;
        std::shared_ptr<target_slot> slot;
    };

    std::shared_ptr<target_slot> slot_;
    std::stop_callback<forward> callback_;
};

}  // namespace detail

// ref: `source` outlives the task, as its class says.
template <class T>
[[nodiscard]] task<T> with_stop(stop_source& source, task<T> body) {
    detail::subtask<T> child(std::move(body));
    const detail::stop_link link(source, child);
    co_await child;
    co_return child.take();
}

// The same for a std::stop_token.
template <class T>
[[nodiscard]] task<T> with_stop(std::stop_token token, task<T> body) {
    detail::subtask<T> child(std::move(body));
    const detail::std_stop_link link(token, child);
    co_await child;
    co_return child.take();
}

// Makes the stop of the running task visible as a std::stop_token, for code that knows only that.
// Made inside a running task; lives in that task.
class std_stop_bridge final : private detail::stop_listener {
  public:
    std_stop_bridge();
    std_stop_bridge(const std_stop_bridge&) = delete;
    std_stop_bridge& operator=(const std_stop_bridge&) = delete;
    ~std_stop_bridge();

    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

  private:
    void on_stop() noexcept override { source_.request_stop(); }

    std::stop_source source_;
};

}  // namespace weir
