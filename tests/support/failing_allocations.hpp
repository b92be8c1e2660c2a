// Runs a task again and again, with another one of its allocations failing each time.
//
// Thread: one loop's.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "support/allocations.hpp"
#include "support/run_test.hpp"

namespace weir::test {

// `make(alive)` creates a task, in whose parts copies of `alive` may live. Expects of each run that
// it ends, with std::bad_alloc or a like error exactly where an allocation failed, and leaks none
// of the copies. Returns how many allocations could fail.
template <class Make>
int fail_every_allocation(Make make) {
    const unrecycled_frames fresh;
    auto alive = std::make_shared<int>(1);
    virtual_loop on;
    on.run([]() -> task<> { co_return; }());
    for (int failures = 0; failures < 1000; ++failures) {
        ending end{};
        task<> observed = observe(make(alive), end);
        const allocation_failure failure(static_cast<std::size_t>(failures));
        on.run(std::move(observed));
        EXPECT_EQ(alive.use_count(), 1) << "after failure of allocation " << failures;
        if (!failure.triggered()) {
            EXPECT_EQ(end, ending::value);
            return failures;
        }
        EXPECT_EQ(end, ending::error) << "after failure of allocation " << failures;
    }
    ADD_FAILURE() << "an allocation fails in every run";
    return 1000;
}

}  // namespace weir::test
