// A histogram of latencies: 64 buckets for each power of two, so a value is off by 0.8 % at most.
// Adding is a handful of instructions and touches one counter.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace echo {

class histogram {
  public:
    void clear() { counts_.fill(0), total_ = 0; }

    // Values over a minute count as a minute.
    void add(std::uint64_t nanoseconds) {
        ++counts_[bucket(std::min(nanoseconds, value_max))];
        ++total_;
    }
    [[nodiscard]] std::uint64_t total() const { return total_; }

    // The value that `share` (0..1) of all are not above: the middle of its bucket; 0 without any.
    [[nodiscard]] double quantile(double share) const {
        const auto wanted = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(std::llround(share * static_cast<double>(total_))));
        std::uint64_t seen = 0;
        for (std::size_t index = 0; index < counts_.size(); ++index) {
            seen += counts_[index];
            if (seen >= wanted) {
                return middle(index);
            }
        }
        return 0;
    }

  private:
    static constexpr unsigned step_bits = 6;
    static constexpr std::uint64_t steps = 1U << step_bits;
    static constexpr std::uint64_t value_max = 60'000'000'000;
    static constexpr unsigned value_bits = std::bit_width(value_max);

    // Below `steps` each value has a bucket of its own.
    static constexpr std::size_t bucket(std::uint64_t value) {
        if (value < steps) {
            return value;
        }
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
        return (std::size_t{shift} + 1) * steps + ((value >> shift) - steps);
    }
    static constexpr double middle(std::size_t index) {
        if (index < steps) {
            return static_cast<double>(index);
        }
        const std::size_t shift = index / steps - 1;
        const std::uint64_t low = (steps + index % steps) << shift;
        return static_cast<double>(low) + static_cast<double>((1ULL << shift) - 1) / 2;
    }

    std::array<std::uint64_t, (value_bits - step_bits + 1) * steps> counts_{};
    std::uint64_t total_ = 0;
};

}  // namespace echo
