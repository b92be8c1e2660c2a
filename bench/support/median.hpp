// The middle of what was measured: unlike a mean it does not move when the machine does something
// else now and then.
#pragma once

#include <utility>
#include <vector>

namespace bench {

// Of an even count the middle of both; of none not a number. What is not a number is left out.
[[nodiscard]] double median(std::vector<double> values);

// Of one of the figures over all rounds.
template <class Figures>
[[nodiscard]] double median(const std::vector<Figures>& rounds, double Figures::* what) {
    std::vector<double> values;
    values.reserve(rounds.size());
    for (const Figures& each : rounds) {
        values.push_back(each.*what);
    }
    return median(std::move(values));
}

}  // namespace bench
