#include "server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace echo {
namespace {

volatile sig_atomic_t stop_target = -1;

extern "C" void ask_to_stop(int /*signal*/) {
    const int saved = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written =
        ::write(static_cast<int>(stop_target), &one, sizeof one);
    errno = saved;
}

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

server_counters* map_counters() {
    void* const memory =
        mmap(nullptr, sizeof(server_counters), PROT_READ | PROT_WRITE, MAP_SHARED, counters_fd, 0);
    if (memory == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "mapping the counters");
    }
    return static_cast<server_counters*>(memory);
}

}  // namespace

std::atomic<std::uint64_t>* counted_calls = nullptr;

server_job::server_job(std::size_t buffer_bytes)
    : buffer_bytes_(buffer_bytes),
      stop_fd_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      syscalls_(&map_counters()->syscalls) {
    stop_target = stop_fd_;
    struct sigaction action{};
    action.sa_handler = ask_to_stop;
    sigemptyset(&action.sa_mask);
    checked(sigaction(SIGTERM, &action, nullptr), "sigaction");
}

server_job::~server_job() {
    counted_calls = nullptr;
    if (listener_ >= 0) {
        ::close(listener_);
    }
    // stop_fd_ stays open: a second SIGTERM may still come.
}

int server_job::listen(int flags) {
    listener_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
    const int on = 1;
    checked(setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(listener_, backlog), "listen");
    return listener_;
}

void server_job::ready() {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    ready(ntohs(address.sin_port));
}

void server_job::ready(std::uint16_t port) {
    if (::write(ready_fd, &port, sizeof port) != static_cast<ssize_t>(sizeof port)) {
        throw std::system_error(errno, std::generic_category(), "saying that the server is ready");
    }
    ::close(ready_fd);
    counted_calls = syscalls_;
}

}  // namespace echo
