// expect: no matching (member )?function for call to .*await_suspend
// Waits need a context, which only weir's own tasks carry: another library's coroutine cannot
// await them by accident.
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/task.hpp>

#include <coroutine>

struct foreign {
    struct promise_type {
        foreign get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};

#ifdef FIXED
weir::task<> sleeper() {
#else
foreign sleeper() {
#endif
    co_await weir::sleep_for(weir::duration(1));
}
