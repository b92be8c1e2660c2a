// Random numbers for jitter, names and tokens; not for secrets.
//
// Thread: one.
#pragma once

#include <sys/random.h>

#include <cstdint>
#include <string>

namespace weir::redisq::detail {

// splitmix64, begun with the kernel's randomness.
class random_source {
  public:
    random_source() noexcept {
        if (getrandom(&state_, sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) {
            state_ ^= reinterpret_cast<std::uintptr_t>(this);
        }
    }

    [[nodiscard]] std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
        return mixed ^ mixed >> 31U;
    }

    // 16 letters and digits.
    [[nodiscard]] std::string token() {
        static constexpr char digits[] = "0123456789abcdef";
        std::string text;
        std::uint64_t bits = next();
        for (int i = 0; i < 16; ++i, bits >>= 4U) {
            text += digits[bits & 0x0FU];
        }
        return text;
    }

  private:
    std::uint64_t state_ = 0;
};

}  // namespace weir::redisq::detail
