// expect: use of deleted function|call to (implicitly-)?deleted
// Jobs point to their pool: it stays where it is.
#include <weir/pool/pool.hpp>

#include <utility>

void keep(weir::pool& p) {
#ifdef FIXED
    weir::pool& other = p;
#else
    weir::pool other = std::move(p);
#endif
    other.close();
}
