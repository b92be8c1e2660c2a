// expect: runs plain functions
// A task runs on a loop, not on a thread of an offload pool.
#include <weir/runtime/thread/blocking.hpp>

weir::task<int> fetch() { co_return 1; }

weir::task<int> fetch_elsewhere() {
#ifdef FIXED
    co_return co_await fetch();
#else
    co_return co_await weir::blocking(fetch);
#endif
}
