// What the tests of the pool share: runs that cannot hang, endings in words, jobs that wait to be
// let go, and a record of errors that nobody read.
//
//     task<> queued_jobs_wait() {
//         pool p(test::sized(1, 5));
//         test::gated first;
//         auto running = co_await p.submit(test::gated_job, std::ref(first), 1);
//         ...
//     }
//     TEST(PoolTest, QueuedJobsWait) { test::run_pool_test(queued_jobs_wait()); }
//
// Thread: one loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/run_test.hpp"

namespace weir::test {

// Runs `main` on virtual time. A run that hangs ends, a virtual day later, with timed_out.
inline void run_pool_test(task<> main) {
    run_test(with_timeout(std::chrono::hours(24), std::move(main)));
}

[[nodiscard]] inline pool_options sized(std::size_t concurrency, std::size_t queue) {
    pool_options options;
    options.max_concurrency = concurrency;
    options.max_queue_size = queue;
    return options;
}

// How something ended, in words: "value", "canceled", "timed out", the name of a pool error
// ("closed"), what() of any other exception, "unknown".
[[nodiscard]] inline std::string in_words(const std::exception_ptr& error) {
    static constexpr const char* pool_errors[] = {
        "", "full", "closed", "would_deadlock", "admission_timed_out", "expired"};
    if (error == nullptr) {
        return "value";
    }
    try {
        std::rethrow_exception(error);
    } catch (const pool_error& known) {
        return pool_errors[static_cast<int>(known.error())];
    } catch (const timed_out&) {
        return "timed out";
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "unknown";
    }
}

// Awaits what it is given (an awaitable by its name, a handle, a task); yields how that ended.
template <class Awaitable>
task<std::string> ending_of(Awaitable& awaitable) {
    std::exception_ptr error;
    try {
        static_cast<void>(co_await awaitable);
    } catch (...) {
        error = std::current_exception();
    }
    co_return in_words(error);
}
template <class T>
task<std::string> ending_of(join_handle<T>& handle) {
    auto joined = handle.join();
    co_return co_await ending_of(joined);
}
template <class T>
task<std::string> ending_of(task<T> body) {
    std::exception_ptr error;
    try {
        static_cast<void>(co_await std::move(body));
    } catch (...) {
        error = std::current_exception();
    }
    co_return in_words(error);
}

// Keeps in `how` what ending_of() yields; "pending" until then. To be spawned beside a test.
inline task<> keep_ending(task<std::string> ending, std::string& how) {
    how = "pending";
    how = co_await std::move(ending);
}

// A task from submit, post and run, for what needs a task: scopes, timeouts, stops.
template <class F, class... A>
task<> posted(pool& p, F function, A... arguments) {
    auto waiting = p.post(function, std::move(arguments)...);
    co_await waiting;
}
template <class F, class... A>
task<detail::job_value<F, A...>> ran(pool& p, F function, A... arguments) {
    auto waiting = p.run(function, std::move(arguments)...);
    co_return co_await waiting;
}
template <class T, class F, class... A>
task<> submitted(pool& p, join_handle<T>& into, F function, A... arguments) {
    auto waiting = p.submit(function, std::move(arguments)...);
    into = co_await waiting;
}
template <class T>
task<T> joined(join_handle<T>& handle) {
    co_return co_await handle.join();
}

// Jobs that share this begin, wait until it is let go, and end.
struct gated {
    event go;
    int begun = 0;
    int ended = 0;
    std::vector<int> order;  // the values of the jobs, as they began
};

// ref: the test's own, which outlives its pool's jobs.
inline task<int> gated_job(gated& at, int value) {
    ++at.begun;
    at.order.push_back(value);
    co_await at.go.wait();
    ++at.ended;
    co_return value;
}

// A gate whose waits a stop does not end.
class door {
  public:
    void open() noexcept {
        open_ = true;
        detail::wake_all(waiters_);
    }

    class [[nodiscard]] pass_awaiter : private detail::listed_waiter {
      public:
        explicit pass_awaiter(door& target) noexcept : target_(target) {}
        [[nodiscard]] bool await_ready() const noexcept { return target_.open_; }
        template <detail::weir_promise Promise>
        void await_suspend(std::coroutine_handle<Promise> task) noexcept {
            static constexpr detail::wait_kind kind{"door", nullptr};
            suspend(task.promise().context(), task, kind);
            target_.waiters_.push_back(*this);
        }
        void await_resume() const noexcept {}

      private:
        door& target_;
    };

    [[nodiscard]] pass_awaiter pass() noexcept { return pass_awaiter(*this); }

  private:
    detail::wait_list waiters_;
    bool open_ = false;
};

// Ignores a stop.
inline task<int> stubborn_job(door& at, int value) {
    co_await at.pass();
    co_return value;
}

inline task<int> value_job(int value) { co_return value; }

// What a pool's on_error was told.
struct error_log {
    std::vector<std::string> errors;  // in_words
    std::vector<job_info> jobs;

    [[nodiscard]] pool_options options(std::size_t concurrency, std::size_t queue) {
        pool_options made = sized(concurrency, queue);
        made.on_error = &record;
        made.on_error_context = this;
        return made;
    }

    static void record(const std::exception_ptr& error, const job_info& job, void* context) {
        auto& self = *static_cast<error_log*>(context);
        self.errors.push_back(in_words(error));
        self.jobs.push_back(job);
    }
};

}  // namespace weir::test
