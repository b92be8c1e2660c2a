// redis-benchmark as it is installed. It counts requests, not time, so their number is guessed; its
// start is measured by a run of one batch, and taken off.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include "../../support/values.hpp"
#include "../bench_error.hpp"
#include "../catalog.hpp"
#include "../redis_server.hpp"

namespace resp {
namespace {

// What a batch takes here, roughly.
constexpr double turn_s = 55e-6;
constexpr double command_s = 0.9e-6;
constexpr double requests_min = 1'000;

struct finished {
    std::string text;
    double cpu_ns = 0;
};

// Runs the program to its end; `text` is what it printed.
finished run_program(std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw bench_error("no pipe for redis-benchmark");
    }
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        execv(argv[0], argv.data());
        _exit(127);
    }
    ::close(ends[1]);
    finished out;
    std::array<char, 4'096> part{};
    ssize_t count = 0;
    while ((count = ::read(ends[0], part.data(), part.size())) > 0) {
        out.text.append(part.data(), static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    int status = 0;
    rusage used{};
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        throw bench_error("redis-benchmark failed with status " + std::to_string(status));
    }
    const auto spent = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
    };
    out.cpu_ns = spent(used.ru_utime) + spent(used.ru_stime);
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
    const std::string program = find_program("redis-benchmark");
    if (program.empty()) {
        throw bench_error("redis-benchmark is missing in PATH (Debian: redis-tools)");
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
    const finished done = run(requests);
    // rps, avg, min, p50, p95, p99, max
    const std::vector<double> numbers = numbers_in(done.text);
    if (numbers.size() != 7) {
        throw bench_error("redis-benchmark printed '" + done.text.substr(0, 100) + "'");
    }
    return {.ops_per_s = numbers[0],
            .cpu_ns = std::max(done.cpu_ns - start_ns, 0.0) /
                      static_cast<double>(requests - what.of.depth),
            .p50_us = numbers[3] * 1e3,
            .p99_us = numbers[5] * 1e3};
}

}  // namespace resp
