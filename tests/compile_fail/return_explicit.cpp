// expect: no matching (member )?function|cannot convert|no viable
// A number is no vector of that many elements.
#include <weir/runtime/task.hpp>

#include <vector>

weir::task<std::vector<int>> three() {
#ifdef FIXED
    co_return std::vector<int>(3);
#else
    co_return 3;
#endif
}
