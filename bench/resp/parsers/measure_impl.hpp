// measure_parser(); included by parser.hpp.
#pragma once

#include <string>

#include "../../support/bench_error.hpp"
#include "parser.hpp"

namespace resp {

template <class Feed>
parser_figures measure_parser(std::string_view stream, std::uint64_t replies,
                              std::chrono::nanoseconds window, Feed feed) {
    using clock = std::chrono::steady_clock;
    std::uint64_t passes = 0;
    const auto run_for = [&](std::chrono::nanoseconds time) {
        const clock::time_point begin = clock::now();
        clock::duration took{};
        for (passes = 0; took < time; ++passes, took = clock::now() - begin) {
            std::uint64_t found = 0;
            for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
                found += feed(stream.substr(at, piece_bytes));
            }
            if (found != replies) {
                throw bench::bench_error(std::to_string(found) +
                                         " replies were parsed instead of " +
                                         std::to_string(replies));
            }
        }
        return std::chrono::duration<double>(took).count();
    };
    static_cast<void>(run_for(window / 4));
    const std::uint64_t allocations_before = allocation_count();
    const double seconds = run_for(window);
    const std::uint64_t allocations = allocation_count() - allocations_before;
    const auto times = static_cast<double>(passes);
    return {
        .mb_per_s = times * static_cast<double>(stream.size()) / seconds / 1e6,
        .allocations = static_cast<double>(allocations) / (times * static_cast<double>(replies))};
}

}  // namespace resp
