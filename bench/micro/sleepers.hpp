// What the sleepers of timers*.cpp do, the same in every library.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

struct sleep_plan {
    int sleepers;
    int rounds;
    std::chrono::microseconds shortest;
    std::chrono::microseconds spread;

    // About 100,000 sleeps a second for 1,000 sleepers, 250,000 for 100,000.
    static sleep_plan for_sleepers(int sleepers) {
        using namespace std::chrono_literals;
        return sleepers <= 1'000 ? sleep_plan{sleepers, 50, 5ms, 10ms}
                                 : sleep_plan{sleepers, 3, 200ms, 400ms};
    }

    // Of one sleeper; they are spread evenly, in no order.
    [[nodiscard]] std::chrono::microseconds length(int index) const {
        return shortest + std::chrono::microseconds(index * std::int64_t{7919} % spread.count());
    }

    [[nodiscard]] double sleeps() const { return static_cast<double>(sleepers) * rounds; }
};

// Of this process, user and system.
inline double cpu_seconds() {
    std::timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}
