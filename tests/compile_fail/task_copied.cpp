// expect: use of deleted function|call to implicitly-deleted
// A task owns its frame: two owners would destroy it twice.
#include <weir/runtime/task.hpp>

#include <utility>

weir::task<> nothing() { co_return; }

void copy() {
    weir::task<> original = nothing();
#ifdef FIXED
    weir::task<> other = std::move(original);
#else
    weir::task<> other = original;
#endif
    (void)other.valid();
}
