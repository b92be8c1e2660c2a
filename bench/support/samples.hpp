// Latencies, kept one by one up to a bound, and their quantiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

class samples {
  public:
    // Beyond `most` none are kept.
    explicit samples(std::size_t most) : most_(most) {}

    // Takes the memory now, so that none is taken while something is measured.
    void reserve() { ns_.reserve(most_); }
    // What takes more than 4.2 s counts as that.
    void add(std::uint64_t ns);
    void add(const samples& others);
    void clear() { ns_.clear(); }

    [[nodiscard]] bool empty() const { return ns_.empty(); }
    // Microseconds that this share, 0 to 1, does not exceed. Requires a sample.
    [[nodiscard]] double quantile_us(double share);

  private:
    std::size_t most_;
    std::vector<std::uint32_t> ns_;
};

}  // namespace bench
