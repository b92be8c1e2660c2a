// expect: ignoring return(ed)? value
// A task that nobody awaits never runs.
#include <weir/runtime/task.hpp>

weir::task<> work() { co_return; }

weir::task<> caller() {
#ifdef FIXED
    co_await work();
#else
    work();
    co_return;
#endif
}
