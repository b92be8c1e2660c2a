// expect: ignoring return(ed)? value
// compiler: clang
// A lock whose guard is dropped is unlocked at once. (g++ 12 does not see a dropped await.)
#include <weir/runtime/mutex.hpp>
#include <weir/runtime/task.hpp>

weir::task<> critical(weir::mutex& m) {
#ifdef FIXED
    const auto guard = co_await m.lock();
#else
    co_await m.lock();
#endif
}
