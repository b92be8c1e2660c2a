// Making jobs from callables, and carrying them from a thread to the loop.
#pragma once

#include <future>
#include <type_traits>
#include <utility>

#include "callable_job.hpp"
#include "pool_core.hpp"

namespace weir::detail {

// A job of `target` whose result goes where Result says. Throws std::bad_alloc.
template <class Result, class F, class... A>
[[nodiscard]] auto* make_job(pool_core& target, F&& function, A&&... arguments) {
    return new callable_job<Result, std::decay_t<F>, std::decay_t<A>...>(
        target, target.loop(), std::forward<F>(function), std::forward<A>(arguments)...);
}

// The same with a result that the caller holds.
template <class T, class F, class... A>
[[nodiscard]] held_job<T> make_held_job(pool_core& target, const submit_options& options,
                                        F&& function, A&&... arguments) {
    auto* const made =
        make_job<held_result<T>>(target, std::forward<F>(function), std::forward<A>(arguments)...);
    made->set_held();
    held_job<T> held(made);
    held->set_options(options);
    return held;
}

// A place in the gate and a job on its way from a thread; gives both up if it never arrives.
class thread_ticket {
  public:
    explicit thread_ticket(pool_core& target) noexcept : target_(&target) {}
    thread_ticket(thread_ticket&& other) noexcept
        : target_(std::exchange(other.target_, nullptr)),
          job_(std::exchange(other.job_, nullptr)),
          parking_(other.parking_) {}
    thread_ticket& operator=(thread_ticket&&) = delete;
    ~thread_ticket() {
        if (job_ != nullptr) {
            job_->drop();
        }
        if (target_ != nullptr) {
            target_->leave_from_thread();
        }
    }
    void carry(job& sent, parked_item& parking) noexcept {
        job_ = &sent;
        parking_ = &parking;
    }
    void operator()() noexcept {
        pool_core& target = *std::exchange(target_, nullptr);
        target.arrive_from_thread(*std::exchange(job_, nullptr), *parking_);
    }

  private:
    pool_core* target_;
    job* job_ = nullptr;
    parked_item* parking_ = nullptr;
};

// Sends a job through the loop's inbox. The calling thread holds a place in the gate, which this
// takes over.
template <class F, class... A>
auto send_from_thread(pool_core& target, F&& function, A&&... arguments)
    -> std::future<job_value<F, A...>> {
    using T = job_value<F, A...>;
    thread_ticket ticket(target);
    auto* const made = make_job<thread_result<T>>(target, std::forward<F>(function),
                                                  std::forward<A>(arguments)...);
    ticket.carry(*made, made->parking);
    std::future<T> future = made->holder.promise.get_future();
    target.loop().post_urgent(std::move(ticket));  // the gate has bounded it
    return future;
}

}  // namespace weir::detail
