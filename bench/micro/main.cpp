// The start of every microbenchmark: puts machine, kernel, compiler and command beside the figures.
#include <benchmark/benchmark.h>
#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#ifndef WEIR_BENCH_FLAGS
#define WEIR_BENCH_FLAGS "(unknown flags)"
#endif

namespace {

std::string cpu_model() {
    std::ifstream cpuinfo("/proc/cpuinfo");
    for (std::string line; std::getline(cpuinfo, line);) {
        if (line.starts_with("model name")) {
            const std::size_t value = line.find(": ");
            return value == std::string::npos ? line : line.substr(value + 2);
        }
    }
    return "unknown cpu";
}

std::string kernel() {
    utsname system{};
    return uname(&system) == 0 ? std::string(system.sysname) + " " + system.release : "unknown";
}

std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__ " " WEIR_BENCH_FLAGS;
#else
    return "g++ " __VERSION__ " " WEIR_BENCH_FLAGS;
#endif
}

std::string joined(int count, char** words) {
    std::string out;
    for (int index = 0; index < count; ++index) {
        if (index != 0) {
            out += ' ';
        }
        out += words[index];
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
#ifndef __OPTIMIZE__
    std::fprintf(stderr, "%s: built without optimisation; its figures would mean nothing\n",
                 argv[0]);
    return 2;
#endif
    benchmark::AddCustomContext(
        "machine",
        cpu_model() + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores");
    benchmark::AddCustomContext("kernel", kernel());
    benchmark::AddCustomContext("compiler", compiler());
    benchmark::AddCustomContext("command", joined(argc, argv));
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
