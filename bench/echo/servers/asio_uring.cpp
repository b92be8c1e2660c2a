// Echo on Boost.Asio with io_uring in the place of epoll, for sockets too: a program of its own,
// since both cannot be in one. The build defines BOOST_ASIO_HAS_IO_URING and
// BOOST_ASIO_DISABLE_EPOLL.
//
// Its enters are counted where liburing's functions are called: the linker leads those calls here
// (--wrap).
#include <liburing.h>

#include <array>
#include <cstdlib>

#include "asio_echo.hpp"

namespace {

void count_one() {
    if (echo::counted_calls != nullptr) {
        echo::counted_calls->store(echo::counted_calls->load(std::memory_order_relaxed) + 1,
                                   std::memory_order_relaxed);
    }
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the linker's names
extern "C" {

int __real_io_uring_submit(io_uring* ring);
int __real___io_uring_get_cqe(io_uring* ring, io_uring_cqe** cqe, unsigned submit, unsigned wait,
                              sigset_t* mask);

// Enters the kernel only with something to submit.
int __wrap_io_uring_submit(io_uring* ring) {
    const int submitted = __real_io_uring_submit(ring);
    if (submitted > 0) {
        count_one();
    }
    return submitted;
}

// Is called for a wait only where no completion is there, and then enters.
int __wrap___io_uring_get_cqe(io_uring* ring, io_uring_cqe** cqe, unsigned submit, unsigned wait,
                              sigset_t* mask) {
    if (wait > 0) {
        count_one();
    }
    return __real___io_uring_get_cqe(ring, cqe, submit, wait, mask);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

namespace echo {
namespace {

// Ends the program itself: Asio 1.81 on io_uring may not be destroyed with operations pending, and
// closing some thousand connections first takes it seconds.
void serve_asio_uring(server_job& job) {
    asio_server server(job);
    server.run();
    std::_Exit(0);
}

}  // namespace

std::span<const server_entry> servers() {
    static constexpr auto all = std::to_array<server_entry>({{"asio_uring", serve_asio_uring}});
    return all;
}

}  // namespace echo
