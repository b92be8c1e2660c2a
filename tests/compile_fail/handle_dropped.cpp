// expect: ignoring return(ed)? value
// compiler: clang
// A handle that is dropped at once means post(). (g++ 12 does not see a dropped await.)
#include <weir/pool/pool.hpp>

int work() { return 1; }

weir::task<> submit_one(weir::pool& p) {
#ifdef FIXED
    co_await p.post(work);
#else
    co_await p.submit(work);
#endif
}
