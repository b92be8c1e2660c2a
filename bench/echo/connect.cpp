#include "connect.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "generator.hpp"

namespace echo {
namespace {

constexpr int connect_limit_ms = 2'000;

// connect(2) that a signal has interrupted goes on by itself.
int finish_connecting(int fd) {
    pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
    while (poll(&wait, 1, connect_limit_ms) < 0 && errno == EINTR) {
    }
    int error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (wait.revents != 0) {
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    return error;
}

int connect_one(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A reset instead of a farewell: thousands of connections a second would wait for their end.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    // Also the limit of connect(2); receives and sends go through io_uring, which knows none.
    const timeval limit{.tv_sec = connect_limit_ms / 1'000, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno == EINTR ? finish_connecting(fd) : errno;
        if (error != 0) {
            ::close(fd);
            return -error;
        }
    }
    return fd;
}

}  // namespace

std::vector<int> connect_all(std::uint64_t count, std::uint16_t port) {
    std::vector<int> fds;
    fds.reserve(count);
    while (fds.size() < count) {
        const int fd = connect_one(port);
        if (fd < 0) {
            for (const int each : fds) {
                ::close(each);
            }
            throw load_error("connection " + std::to_string(fds.size()) + " of " +
                             std::to_string(count) +
                             " failed: " + std::generic_category().message(-fd));
        }
        fds.push_back(fd);
    }
    return fds;
}

}  // namespace echo
