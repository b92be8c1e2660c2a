// A thread that runs an event loop, and the books of the calls that others hand to it.
//
// States: running (from the constructor, which waits until the loop runs) -> closed (close(): no
// more calls) -> drained (closed, and the last call has ended) -> the thread ends -> joined.
// Who writes what: in_flight_, closed_: any thread, under mutex_. jobs_, drained_: the loop's
// thread. joined_: who joins, under join_mutex_.
//
// Invariant: a call holds a ticket from before it is posted until its result is there, so the loop
// goes on as long as one is on its way.
// Lifetime: the loop is destroyed with this object, not by its thread: whoever still posts to it
// has returned when the owner destroys it.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <latch>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "../../event.hpp"
#include "../../event_loop.hpp"
#include "../../result.hpp"
#include "../../scope.hpp"
#include "process_bound.hpp"

namespace weir::detail {

// The first failure among calls on any number of loops. Thread: any.
class first_failure {
  public:
    void note(const std::exception_ptr& error) noexcept {
        const std::scoped_lock lock(mutex_);
        if (first_ == nullptr) {
            first_ = error;
        }
    }
    void rethrow_once() {
        std::unique_lock lock(mutex_);
        if (const std::exception_ptr first = std::exchange(first_, nullptr)) {
            lock.unlock();
            std::rethrow_exception(first);
        }
    }

  private:
    std::mutex mutex_;
    std::exception_ptr first_;
};

struct loop_thread_options {
    event_loop_options loop;
    std::string name;
    int cpu = -1;  // to which the thread is pinned; -1 for none
    std::size_t max_in_flight = SIZE_MAX;
    first_failure* failures = nullptr;  // told of each call that fails
};

class loop_thread final : public forkable {
  public:
    // Throws what event_loop throws, and std::system_error when the thread cannot be started.
    explicit loop_thread(loop_thread_options options);
    ~loop_thread();

    [[nodiscard]] event_loop& loop() noexcept { return *loop_; }
    [[nodiscard]] bool is_here() const noexcept { return event_loop::current() == &*loop_; }

    class ticket;
    // Waits for a place. Throws std::system_error: thread_errc::closed, and would_deadlock where
    // the loop's own thread would wait.
    [[nodiscard]] ticket enter();
    // thread_errc::closed or full.
    [[nodiscard]] result<ticket> try_enter();

    // Starts `call`, whose frame owns a ticket. Throws std::bad_alloc, and `call` is destroyed.
    void start(task<> call);

    // Any thread; idempotent.
    void close() noexcept;
    void request_stop() noexcept;
    // Closes, waits until all calls have ended, and joins. Throws thread_errc::would_deadlock.
    void join();

    // Takes calls that have a ticket.
    [[nodiscard]] std::size_t in_flight() const noexcept;

    // Throws std::system_error (thread_errc::would_deadlock) on the loop's own thread.
    void refuse_own_thread(const char* call) const;

  private:
    // A call on its way to the loop.
    struct arrival {
        void operator()() noexcept;
        loop_thread* to;
        task<> call;
    };

    [[nodiscard]] bool has_room() const noexcept { return in_flight_ < options_.max_in_flight; }
    void leave() noexcept;
    void run() noexcept;
    [[nodiscard]] task<> serve();

    const loop_thread_options options_;
    pthread_t thread_{};
    std::optional<event_loop> loop_;
    std::latch started_{1};  // or has failed to start
    std::exception_ptr start_error_;

    scope* jobs_ = nullptr;
    event drained_;

    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::size_t in_flight_ = 0;
    bool closed_ = false;

    std::mutex join_mutex_;
    bool joined_ = false;
};

// The place of one call; given back by leave() or at its end. Move-only; any thread.
class loop_thread::ticket {
  public:
    explicit ticket(loop_thread& where) noexcept : where_(&where) {}
    ticket(ticket&& other) noexcept : where_(std::exchange(other.where_, nullptr)) {}
    ticket& operator=(ticket&&) = delete;
    ~ticket() {
        if (where_ != nullptr) {
            where_->leave();
        }
    }

    [[nodiscard]] bool valid() const noexcept { return where_ != nullptr; }
    [[nodiscard]] loop_thread& where() const noexcept { return *where_; }

    // The call has ended, by `error` or, where that is null, by a value. Requires valid().
    void leave(const std::exception_ptr& error) noexcept;

  private:
    loop_thread* where_;
};

}  // namespace weir::detail
