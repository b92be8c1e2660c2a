// expect: no type named .type. in|use of deleted function|call to (implicitly-)?deleted|no matching
// A task has one owner, so it is given away: p.run(std::move(t)).
#include <weir/pool/pool.hpp>

#include <utility>

weir::task<int> one() { co_return 1; }

weir::task<int> run_named(weir::pool& p) {
    weir::task<int> t = one();
#ifdef FIXED
    co_return co_await p.run(std::move(t));
#else
    co_return co_await p.run(t);
#endif
}
