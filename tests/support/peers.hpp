// The other end of a connection as a plain socket, which does what no stream of ours would, and
// what tests of bad peers need beside.
//
// Thread: one loop's.
#pragma once

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/file/descriptor.hpp>
#include <weir/runtime/net/detail/receive_pool.hpp>
#include <weir/runtime/net/listener.hpp>
#include <weir/runtime/nop.hpp>

namespace weir::test {

inline void check(bool went_well, const char* what) {
    if (!went_well) {
        throw std::system_error(errno, std::system_category(), what);
    }
}

// Both ends of a TCP connection over loopback; `receive_buffer` bytes (0: as usual) for the second.
inline std::pair<file_descriptor, file_descriptor> tcp_sockets(int receive_buffer = 0) {
    const file_descriptor listening =
        detail::open_listener(socket_address::loopback_ipv4(0), SOCK_STREAM, {}).value();
    if (receive_buffer != 0) {
        check(setsockopt(listening.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                         sizeof receive_buffer) == 0,
              "SO_RCVBUF");
    }
    const socket_address at = detail::local_address_of(listening.get()).value();
    file_descriptor first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(::connect(first.get(), at.data(), at.size()) == 0, "connect");
    file_descriptor second(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    check(static_cast<bool>(second), "accept4");
    return {std::move(first), std::move(second)};
}

// Both ends of a Unix connection.
inline std::pair<file_descriptor, file_descriptor> unix_sockets() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    return {file_descriptor(ends[0]), file_descriptor(ends[1])};
}

// Sends what fits at once, which is all of it.
inline void send_now(const file_descriptor& peer, std::string_view text) {
    check(::send(peer.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
              static_cast<ssize_t>(text.size()),
          "send");
}

// What is there to receive now.
inline std::string receive_now(const file_descriptor& peer) {
    std::string all;
    char part[4096];
    ssize_t count = 0;
    while ((count = ::recv(peer.get(), part, sizeof part, MSG_DONTWAIT)) > 0) {
        all.append(part, static_cast<std::size_t>(count));
    }
    return all;
}

// Closes it so that the other end sees a reset.
inline void reset_connection(file_descriptor& peer) {
    const linger none{.l_onoff = 1, .l_linger = 0};
    check(setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none) == 0, "SO_LINGER");
    peer.reset();
}

// So many turns of the loop, each through the kernel.
inline task<> turns(int count) {
    for (int turn = 0; turn < count; ++turn) {
        const result<void> done = co_await nop();
        static_cast<void>(done);
    }
}

// Whether all buffers that the loop shares are free.
inline bool all_buffers_are_free(event_loop& loop) {
    auto& pool = loop.service<detail::receive_pool>();
    return pool.free() == pool.count();
}

// Allows no more descriptors than are open while it lives.
class no_more_descriptors {
  public:
    no_more_descriptors() {
        getrlimit(RLIMIT_NOFILE, &before_);
        const file_descriptor next(dup(0));
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next.get());
        setrlimit(RLIMIT_NOFILE, &now);
    }
    no_more_descriptors(const no_more_descriptors&) = delete;
    no_more_descriptors& operator=(const no_more_descriptors&) = delete;
    ~no_more_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

}  // namespace weir::test
