// Counted and failing allocations: the test programs replace operator new and delete (in
// allocations.cpp, in every build, so that the figures are the same under a sanitizer).
//
//     const test::allocation_counter counter;
//     do_warm_work();
//     EXPECT_EQ(counter.allocations(), 0U);
//
// What the library takes with malloc (C libraries, exceptions in flight) is not counted.
//
// Thread: each object counts, or fails, what its own thread does. Objects may be nested.
#pragma once

#include <cstddef>

namespace weir::test {

// What this thread allocated and freed since the object was made.
class allocation_counter {
  public:
    allocation_counter() noexcept { reset(); }

    [[nodiscard]] std::size_t allocations() const noexcept;
    [[nodiscard]] std::size_t frees() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;  // asked for, without what was freed

    void reset() noexcept;

  private:
    std::size_t allocations_at_start_ = 0;
    std::size_t frees_at_start_ = 0;
    std::size_t bytes_at_start_ = 0;
};

// While it lives, one allocation of this thread fails with std::bad_alloc: the first for
// `after` = 0, the second for 1 and so on.
class allocation_failure {
  public:
    explicit allocation_failure(std::size_t after) noexcept;
    ~allocation_failure();
    allocation_failure(const allocation_failure&) = delete;
    allocation_failure& operator=(const allocation_failure&) = delete;

    // Whether the allocation has come, and failed.
    [[nodiscard]] bool triggered() const noexcept;
};

// While it lives, this thread recycles no frames: each one comes from operator new.
class unrecycled_frames {
  public:
    unrecycled_frames() noexcept;
    ~unrecycled_frames();
    unrecycled_frames(const unrecycled_frames&) = delete;
    unrecycled_frames& operator=(const unrecycled_frames&) = delete;
};

}  // namespace weir::test
