// The middle of what was measured: unlike a mean it does not move when the machine does something
// else now and then. The benchmarks with two threads take it over many rounds.
#pragma once

#include <algorithm>
#include <vector>

// Sorts `values`, which are not empty.
inline double median(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}
