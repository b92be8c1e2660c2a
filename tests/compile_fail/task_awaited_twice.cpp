// expect: discards qualifiers|no member named .await_ready
// A named task is awaited once, so it has to be given away: co_await std::move(t).
#include <weir/runtime/task.hpp>

#include <utility>

weir::task<int> one() { co_return 1; }

weir::task<int> twice() {
    weir::task<int> t = one();
#ifdef FIXED
    co_return co_await std::move(t);
#else
    co_return co_await t + co_await t;
#endif
}
