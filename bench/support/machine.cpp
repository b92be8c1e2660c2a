#include "machine.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <utility>

#include "proc_file.hpp"

// The build may say which flags it used; what the compiler itself tells is the least.
#ifndef WEIR_BENCH_FLAGS
#ifdef __OPTIMIZE__
#define WEIR_BENCH_FLAGS "optimized"
#else
#define WEIR_BENCH_FLAGS "not optimized"
#endif
#endif

namespace bench {
namespace {

std::uint64_t usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<std::uint64_t>(CPU_COUNT(&set))
                                                       : 1;
}

std::string compiler_text() {
#if defined(__clang__)
    return "clang++ " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

}  // namespace

machine this_machine() {
    utsname names{};
    uname(&names);
    // Arm kernels give no model name; the architecture is what is left to say.
    std::string cpu(proc_file("/proc/cpuinfo").field("model name"));
    if (cpu.empty()) {
        cpu = names.machine;
    }
    return {.cpu = std::move(cpu),
            .cores = usable_cores(),
            .kernel = names.release,
            .compiler = compiler_text(),
            .flags = WEIR_BENCH_FLAGS};
}

std::string machine_text(const machine& of) {
    return of.cpu + ", " + std::to_string(of.cores) + (of.cores == 1 ? " core" : " cores") +
           ", Linux " + of.kernel + ", " + of.compiler + (of.flags.empty() ? "" : " ") + of.flags;
}

}  // namespace bench
