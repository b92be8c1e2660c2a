#include "process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <string_view>

// The build may say which flags it used; what the compiler itself tells is the least.
#ifndef WEIR_BENCH_FLAGS
#ifdef __OPTIMIZE__
#define WEIR_BENCH_FLAGS "optimized"
#else
#define WEIR_BENCH_FLAGS "not optimized"
#endif
#endif

namespace million_tasks {
namespace {

// The start of a small file of /proc, read without the heap: the sampler must not disturb the
// memory that it measures.
class proc_file {
  public:
    explicit proc_file(const char* path) {
        const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            const ssize_t count = ::read(fd, text_.data(), text_.size());
            size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
            ::close(fd);
        }
    }

    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

    // What follows `label` on its line, without the blanks before it; empty without such a line.
    [[nodiscard]] std::string_view field(std::string_view label) const {
        const std::size_t at = text().find(label);
        if (at == std::string_view::npos) {
            return {};
        }
        std::string_view line = text().substr(at + label.size());
        line = line.substr(0, line.find('\n'));
        return line.substr(std::min(line.find_first_not_of("\t :"), line.size()));
    }

  private:
    std::array<char, 4096> text_;
    std::size_t size_ = 0;
};

std::uint64_t number_at(std::string_view text) {
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            break;
        }
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

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

std::uint64_t resident_bytes() {
    const proc_file statm("/proc/self/statm");
    const std::size_t blank = statm.text().find(' ');
    return blank == std::string_view::npos ? 0
                                           : number_at(statm.text().substr(blank + 1)) *
                                                 static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t peak_resident_bytes() {
    return number_at(proc_file("/proc/self/status").field("VmHWM:")) * 1024;
}

std::uint64_t available_bytes() {
    return number_at(proc_file("/proc/meminfo").field("MemAvailable:")) * 1024;
}

double cpu_seconds() {
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

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

}  // namespace million_tasks
