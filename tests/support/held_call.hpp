// A blocking call under a test's control: it tells its loop when it has begun, and ends when it is
// let go.
//
//     test::held_call first;
//     s.spawn(call(pool, first, 1));        // co_await blocking(pool, test::hold, std::ref(first),
//     1) co_await first.begun().wait(); first.let_go();
//
// Thread: made, and begun(), on the loop's; hold() on any other, let_go() any.
#pragma once

#include <semaphore>

#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>

namespace weir::test {

class held_call {
  public:
    // Inside a running task.
    held_call() : loop_(*event_loop::current()) {}

    [[nodiscard]] event& begun() noexcept { return begun_; }
    void let_go() { gate_.release(); }

    void hold() {
        loop_.post_urgent([this] { begun_.set(); });
        gate_.acquire();
    }

  private:
    event_loop& loop_;
    event begun_;
    std::binary_semaphore gate_{0};
};

inline int hold(held_call& call, int value) {
    call.hold();
    return value;
}

}  // namespace weir::test
