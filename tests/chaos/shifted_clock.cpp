// A wall clock that is wrong, and jumps: clock_gettime(2) of this program, which the C++ library
// calls too.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <system_error>
#include <weir/runtime/file/descriptor.hpp>

#include "actors.hpp"

namespace {

constexpr std::int64_t second = 1'000'000'000;

// Written by another process, before and while this one looks.
const std::atomic<std::int64_t>* shift = nullptr;

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    const auto failed = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (failed == 0 && clock == CLOCK_REALTIME && shift != nullptr) {
        const std::int64_t moved =
            now->tv_sec * second + now->tv_nsec + shift->load(std::memory_order_relaxed);
        now->tv_sec = moved / second;
        now->tv_nsec = moved % second;
    }
    return failed;
}

void chaos::shift_clock(const std::string& path) {
    const weir::file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void* const mapped =
        ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) {
        throw std::system_error(errno, std::system_category(), "clock " + path);
    }
    shift = static_cast<const std::atomic<std::int64_t>*>(mapped);
}
