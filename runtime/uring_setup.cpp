#include "uring_setup.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "result.hpp"
#include "uring_compat.hpp"

namespace weir::detail {
namespace {

constexpr unsigned entries_min = 8;

constexpr unsigned required = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
constexpr unsigned wanted = required | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG |
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
constexpr unsigned without_defer =
    required | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_COOP_TASKRUN;

std::string memlock_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return "unlimited";
    }
    return std::to_string(limit.rlim_cur / 1024) + " KiB";
}

}  // namespace

int disabled_by_sysctl() {
    int disabled = 0;
    std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
    return disabled;
}

std::string explain_unavailable(int error, int disabled) {
    const std::string code = "io_uring_setup: " + std::system_category().message(error) + "; ";
    if ((error == EPERM || error == EACCES) && disabled != 0) {
        return code + "the sysctl kernel.io_uring_disabled is " + std::to_string(disabled) +
               ": set it to 0, or to 1 and add this user to kernel.io_uring_group";
    }
    if (error == EPERM || error == EACCES) {
        return code +
               "a seccomp filter or security module forbids it (containers often do): allow "
               "io_uring_setup, io_uring_enter and io_uring_register";
    }
    if (error == ENOSYS) {
        return code +
               "the kernel lacks io_uring or a seccomp filter hides it: weir is supported from "
               "Linux 6.1 on, with CONFIG_IO_URING";
    }
    if (error == ENOMEM) {
        return code + "no memory for a ring of " + std::to_string(entries_min) +
               " entries within RLIMIT_MEMLOCK = " + memlock_limit() + ": raise it (ulimit -l)";
    }
    if (error == EMFILE || error == ENFILE) {
        return code + "raise RLIMIT_NOFILE (ulimit -n)";
    }
    return code + "weir is supported from Linux 6.1 on";
}

int try_create_ring(io_uring& ring, unsigned entries, unsigned completions, ring_setup& granted) {
    for (unsigned flags : {wanted, without_defer, required}) {
        unsigned size = entries;
        while (true) {
            io_uring_params params{};
            params.flags = flags;
            params.cq_entries = std::max(completions, size);
            const int error = -io_uring_queue_init_params(size, &ring, &params);
            if (error == 0) {
                io_uring_ring_dontfork(&ring);
                granted = {.entries = params.sq_entries,
                           .completions = params.cq_entries,
                           .flags = params.flags,
                           .features = params.features};
                return 0;
            }
            if (error == ENOMEM && size > entries_min) {
                size /= 2;
                completions = std::max(completions / 2, size);
                continue;
            }
            if (error == EINVAL && flags != required) {
                break;
            }
            return error;
        }
    }
    return EINVAL;
}

ring_setup create_ring(io_uring& ring, unsigned entries, unsigned completions) {
    ring_setup granted;
    if (const int error = try_create_ring(ring, entries, completions, granted); error != 0) {
        throw std::system_error(make_error_code(errc::ring_unavailable),
                                explain_unavailable(error));
    }
    return granted;
}

bool enable_ring(io_uring& ring) {
    // By number: the library of liburing 2.3 does not export io_uring_enable_rings everywhere.
    if (syscall(__NR_io_uring_register, ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) <
        0) {
        throw std::system_error(errno, std::system_category(), "IORING_REGISTER_ENABLE_RINGS");
    }
    // Saves the kernel a file look-up per call; not having it only costs that.
    return io_uring_register_ring_fd(&ring) == 1;
}

}  // namespace weir::detail
