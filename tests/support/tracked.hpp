// A value that counts how often it is constructed and destroyed, and knows when it is used after
// its end.
//
// Thread: one.
#pragma once

#include <gtest/gtest.h>

namespace weir::test {

class tracked {
  public:
    struct counts {
        int constructed = 0;
        int destroyed = 0;
        [[nodiscard]] int alive() const noexcept { return constructed - destroyed; }
    };

    tracked(counts& shared, int value) noexcept : counts_(&shared), value_(value) {
        ++counts_->constructed;
    }
    tracked(const tracked& other) noexcept : tracked(*other.counts_, other.value_) {}
    tracked& operator=(const tracked&) = default;
    ~tracked() {
        EXPECT_EQ(mark_, alive_mark) << "destroyed twice";
        mark_ = 0;
        ++counts_->destroyed;
    }

    [[nodiscard]] int value() const noexcept {
        EXPECT_EQ(mark_, alive_mark) << "used after its end";
        return value_;
    }

  private:
    static constexpr int alive_mark = 0x5eed;

    counts* counts_;
    int value_;
    volatile int mark_ = alive_mark;
};

}  // namespace weir::test
