#include "datagram.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace weir {
namespace {

std::unexpected<std::error_code> last_error() noexcept {
    return std::unexpected(std::error_code(errno, std::system_category()));
}

bool set_option(int fd, int level, int name, int value) noexcept {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// An option that is left alone where it has its default.
bool set_unless_zero(int fd, int level, int name, int value) noexcept {
    return value == 0 || set_option(fd, level, name, value);
}

int bytes_as_int(std::size_t bytes) noexcept {
    return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
}

// False: errno tells.
bool set_options(int fd, address_family family, const datagram_options& options) noexcept {
    const bool is_ipv6 = family == address_family::ipv6;
    return set_unless_zero(fd, SOL_SOCKET, SO_REUSEADDR, options.reuse_address ? 1 : 0) &&
           set_unless_zero(fd, SOL_SOCKET, SO_REUSEPORT, options.reuse_port ? 1 : 0) &&
           set_unless_zero(fd, SOL_SOCKET, SO_BROADCAST, options.broadcast ? 1 : 0) &&
           set_unless_zero(fd, SOL_SOCKET, SO_RCVBUF, bytes_as_int(options.receive_buffer_size)) &&
           set_unless_zero(fd, SOL_SOCKET, SO_SNDBUF, bytes_as_int(options.send_buffer_size)) &&
           (!is_ipv6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0)) &&
           set_unless_zero(fd, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                           is_ipv6 ? IPV6_UNICAST_HOPS : IP_TTL, options.hops);
}

int domain_of(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4:
            return AF_INET;
        case address_family::ipv6:
            return AF_INET6;
        case address_family::unix_domain:
            return AF_UNIX;
        case address_family::unspecified:
            break;
    }
    return AF_UNSPEC;  // socket(2) refuses it
}

result<std::size_t> int_option(int fd, int name) noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) {
        return last_error();
    }
    return static_cast<std::size_t>(value);
}

using name_call = int (*)(int, sockaddr*, socklen_t*);

result<socket_address> address_by(name_call call, int fd) noexcept {
    socket_address address;
    socklen_t size = socket_address::capacity();
    if (call(fd, address.data(), &size) != 0) {
        return last_error();
    }
    address.set_size(size);
    return address;
}

}  // namespace

datagram_receive_awaiter::datagram_receive_awaiter(int fd, std::span<std::byte> into) noexcept
    : piece_{.iov_base = into.data(), .iov_len = into.size()} {
    message_.msg_name = from_.data();
    message_.msg_namelen = socket_address::capacity();
    message_.msg_iov = &piece_;
    message_.msg_iovlen = 1;
    request.opcode = io_opcode::receive_message;
    request.fd = fd;
    request.address = &message_;
    request.length = 1;
}

result<datagram> datagram_receive_awaiter::await_resume() noexcept {
    const result<int> count = finish();
    if (!count) {
        return std::unexpected(count.error());
    }
    from_.set_size(message_.msg_namelen);
    datagram got;
    got.size = static_cast<std::size_t>(*count);
    got.from = from_;
    got.truncated = (message_.msg_flags & MSG_TRUNC) != 0;
    return got;
}

datagram_send_awaiter::datagram_send_awaiter(int fd, std::span<const std::byte> bytes) noexcept {
    ask(fd, io_opcode::send);
    request.address = const_cast<std::byte*>(bytes.data());
    // No datagram is that long: what is cut here is refused all the same.
    request.length = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), UINT32_MAX));
}

datagram_send_awaiter::datagram_send_awaiter(int fd, std::span<const std::byte> bytes,
                                             const socket_address& to) noexcept
    : datagram_send_awaiter(fd, std::span<const iovec>(), to) {
    piece_.iov_base = const_cast<std::byte*>(bytes.data());
    piece_.iov_len = bytes.size();
    message_.msg_iov = &piece_;
    message_.msg_iovlen = 1;
}

datagram_send_awaiter::datagram_send_awaiter(int fd, std::span<const iovec> pieces,
                                             const socket_address& to) noexcept
    : to_(to) {
    ask(fd, io_opcode::send_message);
    if (to_.size() != 0) {
        message_.msg_name = to_.data();
        message_.msg_namelen = to_.size();
    }
    message_.msg_iov = const_cast<iovec*>(pieces.data());
    message_.msg_iovlen = pieces.size();
    request.address = &message_;
    request.length = 1;
}

void datagram_send_awaiter::ask(int fd, io_opcode opcode) noexcept {
    request.opcode = opcode;
    request.fd = fd;
    request.operation_flags = MSG_NOSIGNAL;
}

result<void> datagram_send_awaiter::await_resume() const noexcept {
    const result<int> done = finish();
    return done ? result<void>() : std::unexpected(done.error());
}

result<datagram_socket> datagram_socket::open(address_family family,
                                              const datagram_options& options) noexcept {
    file_descriptor opened(::socket(domain_of(family), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!opened || !set_options(opened.get(), family, options)) {
        return last_error();
    }
    return datagram_socket(std::move(opened));
}

result<datagram_socket> datagram_socket::bind(const socket_address& local,
                                              const datagram_options& options) noexcept {
    result<datagram_socket> opened = open(local.family(), options);
    if (opened && ::bind(opened->fd(), local.data(), local.size()) != 0) {
        return last_error();
    }
    return opened;
}

result<void> datagram_socket::connect(const socket_address& peer) noexcept {
    if (::connect(fd(), peer.data(), peer.size()) != 0) {
        return last_error();
    }
    return {};
}

result<socket_address> datagram_socket::local_address() const noexcept {
    return address_by(&getsockname, fd());
}

result<socket_address> datagram_socket::peer_address() const noexcept {
    return address_by(&getpeername, fd());
}

result<std::size_t> datagram_socket::receive_buffer_size() const noexcept {
    return int_option(fd(), SO_RCVBUF);
}

result<std::size_t> datagram_socket::send_buffer_size() const noexcept {
    return int_option(fd(), SO_SNDBUF);
}

}  // namespace weir
