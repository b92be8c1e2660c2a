#include "process.hpp"

#include <unistd.h>

#include <ctime>
#include <string_view>

#include "../support/proc_file.hpp"

namespace million_tasks {
namespace {

using bench::number_at;
using bench::proc_file;

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

}  // namespace million_tasks
