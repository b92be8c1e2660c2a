// expect: use of deleted function|call to implicitly-deleted
// A result has one owner.
#include <weir/pool/pool.hpp>

#include <utility>

void keep(weir::join_handle<int> h) {
#ifdef FIXED
    const weir::join_handle<int> other = std::move(h);
#else
    const weir::join_handle<int> other = h;
#endif
    (void)other.done();
}
