// expect: discards qualifiers|no member named .await_ready
// A handle yields its result once, so it has to be given away: co_await std::move(h).
#include <weir/pool/pool.hpp>

#include <utility>

weir::task<int> result_of(weir::join_handle<int> h) {
#ifdef FIXED
    co_return co_await std::move(h);
#else
    co_return co_await h + co_await h;
#endif
}
