// expect: ignoring return(ed)? value
// A run that is not awaited runs nothing.
#include <weir/pool/pool.hpp>

void work() {}

weir::task<> run_one(weir::pool& p) {
#ifdef FIXED
    co_await p.run(work);
#else
    p.run(work);
    co_return;
#endif
}
