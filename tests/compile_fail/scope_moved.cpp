// expect: use of deleted function|call to implicitly-deleted
// Children point to their scope: it stays where it is.
#include <weir/runtime/scope.hpp>

#include <utility>

weir::task<> parent() {
    weir::scope s;
#ifdef FIXED
    weir::scope& other = s;
#else
    weir::scope other = std::move(s);
#endif
    co_await other.join();
}
