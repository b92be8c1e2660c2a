#include "unix_socket.hpp"

#include <algorithm>
#include <cerrno>

#include "../detail/io_awaiter.hpp"

namespace weir {
namespace {

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

result<std::pair<file_descriptor, file_descriptor>> socket_pair(int kind) {
    int ends[2];
    if (::socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, ends) != 0) {
        return std::unexpected(last_error());
    }
    return std::pair(file_descriptor(ends[0]), file_descriptor(ends[1]));
}

// One recv(2) or send(2).
class [[nodiscard]] packet_awaiter : public detail::io_awaiter {
  public:
    packet_awaiter(io_opcode opcode, int fd, const void* bytes, std::size_t size,
                   int flags) noexcept {
        request.opcode = opcode;
        request.fd = fd;
        request.address = const_cast<void*>(bytes);  // only a receive writes, to what was not const
        request.length = static_cast<std::uint32_t>(std::min<std::size_t>(size, UINT32_MAX));
        request.operation_flags = static_cast<std::uint32_t>(flags);
    }

    result<int> await_resume() const noexcept { return finish(); }
};

}  // namespace

task<result<unix_stream>> unix_stream::connect(socket_address to, connect_options options) {
    result<file_descriptor> connected = co_await detail::connected_socket(kind, to, options);
    if (!connected) {
        co_return std::unexpected(connected.error());
    }
    co_return unix_stream(std::move(*connected));
}

result<std::pair<unix_stream, unix_stream>> unix_stream::pair() {
    result<std::pair<file_descriptor, file_descriptor>> ends = socket_pair(kind);
    if (!ends) {
        return std::unexpected(ends.error());
    }
    return std::pair(unix_stream(std::move(ends->first)), unix_stream(std::move(ends->second)));
}

result<socket_address> unix_stream::local_address() const {
    return detail::local_address_of(native_handle());
}

result<socket_address> unix_stream::peer_address() const {
    return detail::peer_address_of(native_handle());
}

result<peer_credentials> unix_stream::credentials() const {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return std::unexpected(last_error());
    }
    return peer_credentials{.process = peer.pid, .user = peer.uid, .group = peer.gid};
}

task<result<unix_packets>> unix_packets::connect(socket_address to, connect_options options) {
    result<file_descriptor> connected = co_await detail::connected_socket(kind, to, options);
    if (!connected) {
        co_return std::unexpected(connected.error());
    }
    co_return unix_packets(std::move(*connected));
}

result<std::pair<unix_packets, unix_packets>> unix_packets::pair() {
    result<std::pair<file_descriptor, file_descriptor>> ends = socket_pair(kind);
    if (!ends) {
        return std::unexpected(ends.error());
    }
    return std::pair(unix_packets(std::move(ends->first)), unix_packets(std::move(ends->second)));
}

// ref: see the declaration.
task<result<void>> unix_packets::send(std::span<const std::byte> message) {
    if (message.empty()) {
        // It would look like the end of the stream.
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    const result<int> sent = co_await packet_awaiter(io_opcode::send, socket_.get(), message.data(),
                                                     message.size(), MSG_NOSIGNAL);
    co_return sent ? result<void>() : std::unexpected(sent.error());
}

// ref: see the declaration.
task<result<std::size_t>> unix_packets::receive(std::span<std::byte> into) {
    const result<int> size = co_await packet_awaiter(io_opcode::receive, socket_.get(), into.data(),
                                                     into.size(), MSG_TRUNC);
    if (!size) {
        co_return std::unexpected(size.error());
    }
    const auto count = static_cast<std::size_t>(*size);
    if (count > into.size()) {
        co_return std::unexpected(std::make_error_code(std::errc::message_size));
    }
    co_return count;
}

}  // namespace weir
