// redis-benchmark as it is installed. It counts requests, not time, so their number is guessed; its
// start is measured by a run of one batch, and taken off.
#include <algorithm>
#include <vector>

#include "../../support/bench_error.hpp"
#include "../../support/captured_run.hpp"
#include "../../support/find_program.hpp"
#include "../../support/values.hpp"
#include "../catalog.hpp"

namespace resp {
namespace {

// What a batch takes here, roughly.
constexpr double turn_s = 55e-6;
constexpr double command_s = 0.9e-6;
constexpr double requests_min = 1'000;

bench::finished run_program(const std::vector<std::string>& words) {
    bench::finished out = bench::run_captured(words);
    if (out.status != 0) {
        throw bench::bench_error("redis-benchmark failed with status " +
                                 std::to_string(out.status));
    }
    return out;
}

// The numbers of the line for the test: "SET","101010.1","0.45",...
std::vector<double> numbers_in(const std::string& text) {
    const std::size_t line = text.rfind('\n', text.size() - 2);
    std::vector<double> out;
    std::size_t at = text.find(',', line == std::string::npos ? 0 : line);
    while (at != std::string::npos) {
        const std::size_t begin = at + 2;
        const std::size_t end = text.find('"', begin);
        out.push_back(bench::number_in<double>(std::string_view(text).substr(begin, end - begin))
                          .value_or(0));
        at = text.find(',', end);
    }
    return out;
}

}  // namespace

figures run_redis_benchmark(const job& what) {
    const std::string program = bench::find_program("redis-benchmark");
    if (program.empty()) {
        throw bench::bench_error("redis-benchmark is missing in PATH (Debian: redis-tools)");
    }
    const auto depth = static_cast<double>(what.of.depth);
    const double seconds = std::chrono::duration<double>(what.window).count();
    const double guess = seconds * depth / (turn_s + command_s * depth);
    // Whole batches: it waits for ever for the rest of one.
    const std::uint64_t turns =
        static_cast<std::uint64_t>(std::max(guess, requests_min)) / what.of.depth + 1;
    const std::uint64_t requests = turns * what.of.depth;
    const bool batches = what.of.how == mode::pipeline;
    const std::string at_once = std::to_string(what.of.depth);
    const auto run = [&](std::uint64_t count) {
        return run_program({program, "-s", what.socket_path, "-t", std::string(name_of(what.of.op)),
                            "-d", std::to_string(value_bytes), "-c", batches ? "1" : at_once, "-P",
                            batches ? at_once : "1", "-n", std::to_string(count), "--csv",
                            "--precision", "3"});
    };
    const double start_ns = run(what.of.depth).cpu_ns;
    const bench::finished done = run(requests);
    // rps, avg, min, p50, p95, p99, max
    const std::vector<double> numbers = numbers_in(done.text);
    if (numbers.size() != 7) {
        throw bench::bench_error("redis-benchmark printed '" + done.text.substr(0, 100) + "'");
    }
    return {.ops_per_s = numbers[0],
            .cpu_ns = std::max(done.cpu_ns - start_ns, 0.0) /
                      static_cast<double>(requests - what.of.depth),
            .p50_us = numbers[3] * 1e3,
            .p99_us = numbers[5] * 1e3};
}

}  // namespace resp
