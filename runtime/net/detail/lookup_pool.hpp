// The threads of the resolver, and the lookups that they and the waiting tasks share.
//
// A lookup belongs to its asker and to the pool together, so either may go first. States, and who
// moves it:
//   waiting    in the pool's queue (submit(), on the asker's loop)
//   running    a thread is inside the lookup function
//   answered   the thread has posted the answer to the asker's loop, which wakes the task
//   abandoned  the asker was stopped or its time was up (leave(), on its loop): it stands in no
//              queue any more, and a thread that still runs it drops the answer
// lookup::mutex is held while a thread posts, and taken by the asker before it goes on: so no post
// reaches a loop that may be gone.
//
// Threads start on demand and stay, at most threads_max. Thread: submit, withdraw and awaiters: the
// asker's loop; the rest any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "../../event_loop.hpp"
#include "../address.hpp"
#include "../resolver.hpp"

namespace weir::detail {

struct lookup_question {
    std::string host;
    std::string service;
    address_family family = address_family::unspecified;
};

using lookup_answer = result<std::vector<socket_address>>;

// getaddrinfo(3), or what stands for it in tests. Blocks; called by any thread; must not throw.
using lookup_function = std::function<lookup_answer(const lookup_question&)>;

[[nodiscard]] lookup_answer ask_system(const lookup_question& question) noexcept;

// What getaddrinfo(3) returned as an error; `system_error` is its errno for EAI_SYSTEM.
[[nodiscard]] std::error_code lookup_error(int code, int system_error) noexcept;

class lookup_awaiter;

struct lookup {
    lookup(lookup_question what, lookup_awaiter& who) noexcept
        : question(std::move(what)), asker(&who) {}

    const lookup_question question;
    lookup_awaiter* asker;       // null when it has gone; the loop's thread only
    std::mutex mutex;            // guards what follows
    event_loop* loop = nullptr;  // null when the asker has gone
    lookup_answer answer;        // the asker's once it was posted
};

class lookup_pool final : public std::enable_shared_from_this<lookup_pool> {
  public:
    lookup_pool(std::size_t threads_max, std::size_t waiting_max, lookup_function ask);
    lookup_pool(const lookup_pool&) = delete;
    lookup_pool& operator=(const lookup_pool&) = delete;
    ~lookup_pool() = default;

    // Nothing where the lookup will be answered; else net_errc::resolver_busy, or the system's
    // error where there is no thread and none can be started.
    [[nodiscard]] std::error_code submit(const std::shared_ptr<lookup>& asked) noexcept;

    // Takes the lookup out of the queue, if it stands there.
    void withdraw(const lookup& asked) noexcept;

    // Threads end when the queue is empty. The pool lives as long as they do.
    void close() noexcept;

  private:
    // Guarded by mutex_.
    [[nodiscard]] int start_thread() noexcept;
    void work() noexcept;
    static void deliver(const std::shared_ptr<lookup>& asked, lookup_answer answer) noexcept;

    const std::size_t threads_max_;
    const std::size_t waiting_max_;
    const lookup_function ask_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable work_;
    std::deque<std::shared_ptr<lookup>> queue_;
    std::size_t threads_ = 0;
    std::size_t busy_ = 0;
    bool closing_ = false;
};

// The pool of this process. Throws std::bad_alloc.
[[nodiscard]] std::shared_ptr<lookup_pool> default_lookup_pool();

// One lookup on `pool`.
class [[nodiscard]] lookup_awaiter : private waiter, private timer_node {
  public:
    lookup_awaiter(std::shared_ptr<lookup_pool> pool, lookup_question question, duration timeout);
    lookup_awaiter(const lookup_awaiter&) = delete;
    lookup_awaiter& operator=(const lookup_awaiter&) = delete;
    ~lookup_awaiter() = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <weir_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> task) noexcept {
        return begin(task.promise().context(), task);
    }

    lookup_answer await_resume();

    // The answer has come.
    void arrive() noexcept;

  private:
    bool begin(context& task, std::coroutine_handle<> resume) noexcept;
    void leave(std::error_code why) noexcept;
    static void cancel(waiter& self) noexcept;
    static void expire(timer_node& timer) noexcept;

    std::shared_ptr<lookup_pool> pool_;
    std::shared_ptr<lookup> lookup_;
    duration timeout_;
    std::error_code error_;
};

// resolve() on a pool of the caller's.
[[nodiscard]] task<lookup_answer> resolve_on(std::shared_ptr<lookup_pool> pool, std::string host,
                                             std::string service, resolve_options options);

}  // namespace weir::detail
