// expect: ignoring return(ed)? value
// A sleep that is not awaited does not sleep.
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/task.hpp>

weir::task<> sleeper() {
    const weir::duration d(1000);
#ifdef FIXED
    co_await weir::sleep_for(d);
#else
    weir::sleep_for(d);
    co_return;
#endif
}
