#include "samples.hpp"

#include <algorithm>
#include <limits>

namespace bench {

void samples::add(std::uint64_t ns) {
    if (ns_.size() < most_) {
        ns_.push_back(static_cast<std::uint32_t>(
            std::min<std::uint64_t>(ns, std::numeric_limits<std::uint32_t>::max())));
    }
}

void samples::add(const samples& others) {
    for (const std::uint32_t each : others.ns_) {
        add(each);
    }
}

double samples::quantile_us(double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(ns_.size() - 1));
    const auto at = ns_.begin() + static_cast<std::ptrdiff_t>(index);
    std::ranges::nth_element(ns_, at);
    return static_cast<double>(*at) / 1e3;
}

}  // namespace bench
