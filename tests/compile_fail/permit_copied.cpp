// expect: use of deleted function|call to implicitly-deleted
// A permit is given back once.
#include <weir/runtime/semaphore.hpp>

#include <optional>
#include <utility>

void take(weir::semaphore& s) {
    std::optional<weir::semaphore::permit> permit = s.try_acquire();
#ifdef FIXED
    const std::optional<weir::semaphore::permit> other = std::move(permit);
#else
    const std::optional<weir::semaphore::permit> other = permit;
#endif
    (void)other.has_value();
}
