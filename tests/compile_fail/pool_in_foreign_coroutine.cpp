// expect: no matching (member )?function for call to .*await_suspend
// A pool is awaited from weir's own tasks only: another library's coroutine has no context to stop,
// to name or to nest by.
#include <weir/pool/pool.hpp>

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

void work() {}

#ifdef FIXED
weir::task<> poster(weir::pool& p) {
#else
foreign poster(weir::pool& p) {
#endif
    co_await p.post(work);
}
