// expect: has no non-static data member|field designator .* does not refer to any field
// A misspelled option is no option.
#include <weir/pool/options.hpp>

#include <cstddef>

std::size_t slots() {
#ifdef FIXED
    const weir::pool_options options{.max_concurrency = 3};
#else
    const weir::pool_options options{.max_concurency = 3};
#endif
    return options.max_concurrency;
}
