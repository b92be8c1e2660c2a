// Echo on epoll by hand: level-triggered, one read for an event, the answer written at once. What
// the socket does not take is kept, and the connection is not read again until it is gone.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

#include "server.hpp"

namespace echo {
namespace {

class epoll_server {
  public:
    explicit epoll_server(server_job& job)
        : size_(job.buffer_bytes()),
          buffer_(std::make_unique<char[]>(size_)),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          stop_fd_(job.stop_fd()),
          listener_(job.listen(SOCK_NONBLOCK)) {
        watch(EPOLL_CTL_ADD, stop_fd_, EPOLLIN);
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
        job.ready();
    }
    epoll_server(const epoll_server&) = delete;
    epoll_server& operator=(const epoll_server&) = delete;
    ~epoll_server() {
        for (std::size_t fd = 0; fd < connections_.size(); ++fd) {
            if (connections_[fd].open) {
                ::close(static_cast<int>(fd));
            }
        }
        ::close(epoll_);
    }

    void run() {
        std::array<epoll_event, 512> events{};
        for (;;) {
            const int count =
                epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int index = 0; index < count; ++index) {
                const epoll_event& event = events[static_cast<std::size_t>(index)];
                if (event.data.fd == stop_fd_) {
                    return;
                }
                if (event.data.fd == listener_) {
                    accept_all();
                } else if ((event.events & EPOLLOUT) != 0) {
                    write_rest(event.data.fd);
                } else {
                    echo_once(event.data.fd);
                }
            }
        }
    }

  private:
    struct connection {
        bool open = false;
        std::vector<char> rest;  // read and not yet written
    };

    void watch(int action, int fd, std::uint32_t what) const {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        if (epoll_ctl(epoll_, action, fd, &event) != 0) {
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
        }
    }

    void accept_all() {
        for (;;) {
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                return;
            }
            if (connections_.size() <= static_cast<std::size_t>(fd)) {
                connections_.resize(static_cast<std::size_t>(fd) + 1);
            }
            connections_[static_cast<std::size_t>(fd)].open = true;
            watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        }
    }

    void echo_once(int fd) {
        const ssize_t count = recv(fd, buffer_.get(), size_, 0);
        if (count <= 0) {
            if (count == 0 || errno != EAGAIN) {
                drop(fd);
            }
            return;
        }
        const ssize_t sent = send(fd, buffer_.get(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
        if (sent == count) {
            return;
        }
        if (sent < 0 && errno != EAGAIN) {
            drop(fd);
            return;
        }
        connections_[static_cast<std::size_t>(fd)].rest.assign(
            buffer_.get() + std::max<ssize_t>(sent, 0), buffer_.get() + count);
        watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
    }

    void write_rest(int fd) {
        std::vector<char>& rest = connections_[static_cast<std::size_t>(fd)].rest;
        const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN) {
                drop(fd);
            }
            return;
        }
        rest.erase(rest.begin(), rest.begin() + sent);
        if (rest.empty()) {
            watch(EPOLL_CTL_MOD, fd, EPOLLIN);
        }
    }

    void drop(int fd) {
        ::close(fd);
        connections_[static_cast<std::size_t>(fd)] = {};
    }

    std::size_t size_;
    std::unique_ptr<char[]> buffer_;
    int epoll_;
    int stop_fd_;
    int listener_;
    std::vector<connection> connections_;  // by descriptor
};

}  // namespace

void serve_epoll(server_job& job) { epoll_server(job).run(); }

}  // namespace echo
