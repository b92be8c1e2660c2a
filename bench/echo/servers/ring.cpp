#include "ring.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace echo {

ring::ring(unsigned entries, unsigned completions, unsigned files) {
    io_uring_params wanted{};
    wanted.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                   IORING_SETUP_CLAMP;
    wanted.cq_entries = completions;
    if (const int error = io_uring_queue_init_params(entries, &ring_, &wanted); error < 0) {
        throw std::system_error(-error, std::generic_category(),
                                "io_uring_setup (Linux 6.1 or newer is needed)");
    }
    // Saves a look-up in every call; where the kernel refuses, it is only slower.
    static_cast<void>(io_uring_register_ring_fd(&ring_));
    if (files != 0) {
        if (const int error = io_uring_register_files_sparse(&ring_, files); error < 0) {
            io_uring_queue_exit(&ring_);
            throw std::system_error(-error, std::generic_category(), "registering files");
        }
    }
}

ring::~ring() { io_uring_queue_exit(&ring_); }

void ring::submit() {
    ++enters_;
    check(io_uring_submit(&ring_), "io_uring_submit");
}

void ring::submit_and_wait() {
    ++enters_;
    check(io_uring_submit_and_wait(&ring_, 1), "io_uring_submit_and_wait");
}

void ring::submit_and_wait_for(std::uint64_t nanoseconds) {
    ++enters_;
    __kernel_timespec limit{.tv_sec = static_cast<long long>(nanoseconds / 1'000'000'000),
                            .tv_nsec = static_cast<long long>(nanoseconds % 1'000'000'000)};
    io_uring_cqe* first = nullptr;
    const int result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
    check(result == -ETIME ? 0 : result, "io_uring_submit_and_wait_timeout");
}

void ring::submit_and_work() {
    ++enters_;
    check(io_uring_submit_and_get_events(&ring_), "io_uring_submit_and_get_events");
}

void ring::check(int result, const char* what) {
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
        throw std::system_error(-result, std::generic_category(), what);
    }
}

unsigned connection_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, 16'384));
}

}  // namespace echo
