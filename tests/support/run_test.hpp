// Running tasks in tests, on virtual time.
//
//     TEST(EventTest, WaitersGoOnWhenItIsSet) { test::run_test(waiters_go_on()); }
//
// A test that shows "pending before, ready after" spawns what waits, settles, looks, acts, settles
// and looks again:
//
//     s.spawn(test::observe(wait_for(flag), end));
//     co_await test::settle();
//     EXPECT_EQ(end, test::ending::pending);
//
// Thread: one loop's.
#pragma once

#include <ostream>
#include <utility>

#include <weir/runtime/clock.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/result.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/task.hpp>

namespace weir::test {

// A loop and the manual clock that it runs on.
class virtual_loop {
  public:
    explicit virtual_loop(event_loop_options options = {}) : loop_(on_clock(options)) {}

    [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
    [[nodiscard]] event_loop& loop() noexcept { return loop_; }

    template <class T>
    T run(task<T> main) {
        return loop_.run(std::move(main));
    }

  private:
    event_loop_options on_clock(event_loop_options options) noexcept {
        options.clock = &clock_;
        return options;
    }

    manual_clock clock_;
    event_loop loop_;
};

// Runs `main` on a loop of its own, on virtual time.
template <class T>
T run_test(task<T> main) {
    virtual_loop loop;
    return loop.run(std::move(main));
}

// Ends when nothing on the loop can run any more without time passing: virtual time moves only
// then, here by a nanosecond.
[[nodiscard]] inline sleep_awaiter settle() noexcept { return sleep_for(duration(1)); }

// How a task ended, or that it has not.
enum class ending { pending, value, canceled, timed_out, error };

inline std::ostream& operator<<(std::ostream& out, ending end) {
    static constexpr const char* names[] = {"pending", "value", "canceled", "timed_out", "error"};
    return out << names[static_cast<int>(end)];
}

// Runs `body`, and keeps how it ended; what it throws goes no further.
template <class T>
task<> observe(task<T> body, ending& end) {
    end = ending::pending;
    try {
        static_cast<void>(co_await std::move(body));
        end = ending::value;
    } catch (const canceled&) {
        end = ending::canceled;
    } catch (const timed_out&) {
        end = ending::timed_out;
    } catch (...) {
        end = ending::error;
    }
}

// Runs `body` as a task of its own and asks it to stop before it has begun; yields how it ended.
template <class T>
task<ending> stopped_before(task<T> body) {
    stop_source source;
    source.request_stop();
    ending end = ending::pending;
    co_await observe(with_stop(source, std::move(body)), end);
    co_return end;
}

// The same, once it waits. Yields ending::pending where it never came to wait.
template <class T>
task<ending> stopped_while_waiting(task<T> body) {
    stop_source source;
    ending end = ending::pending;
    scope s;
    s.spawn(observe(with_stop(source, std::move(body)), end));
    co_await settle();
    const bool waited = end == ending::pending;
    source.request_stop();
    co_await s.join();
    co_return waited ? end : ending::pending;
}

}  // namespace weir::test
