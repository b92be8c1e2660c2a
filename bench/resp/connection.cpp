#include "connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "bench_error.hpp"

namespace resp {
namespace {

constexpr std::string_view ping = "*2\r\n$4\r\nPING\r\n$16\r\nend-of-the-reply\r\n";
constexpr std::string_view pong = "$16\r\nend-of-the-reply\r\n";

[[noreturn]] void throw_errno(const char* what) {
    throw bench_error(std::string(what) +
                      " redis-server: " + std::generic_category().message(errno));
}

}  // namespace

std::string encoded(const command& what) {
    std::string out;
    const auto add_line = [&out](char kind, std::size_t number) {
        out += kind;
        out += std::to_string(number);
        out += "\r\n";
    };
    add_line('*', what.count);
    for (std::size_t index = 0; index < what.count; ++index) {
        add_line('$', what.words[index].size());
        out += what.words[index];
        out += "\r\n";
    }
    return out;
}

connection::connection(const std::string& socket_path)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) {
        throw_errno("a socket to");
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) {
        ::close(fd_);
        throw bench_error("the socket's path '" + socket_path + "' is too long");
    }
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd_);
        errno = error;
        throw_errno("connecting to");
    }
}

connection::~connection() { ::close(fd_); }

void connection::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR) {
            throw_errno("writing to");
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
}

std::size_t connection::read_some(char* into, std::size_t size) {
    ssize_t count = 0;
    do {
        count = ::recv(fd_, into, size, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        throw_errno("reading from");
    }
    if (count == 0) {
        throw bench_error("redis-server closed the connection");
    }
    return static_cast<std::size_t>(count);
}

void connection::read_exactly(char* into, std::size_t size) {
    while (size > 0) {
        const std::size_t count = read_some(into, size);
        into += count;
        size -= count;
    }
}

std::string connection::reply_to(const command& what) {
    write_all(encoded(what));
    write_all(ping);
    std::string reply;
    std::array<char, 65'536> part{};
    while (!reply.ends_with(pong)) {
        reply.append(part.data(), read_some(part.data(), part.size()));
    }
    reply.resize(reply.size() - pong.size());
    if (reply.starts_with('-')) {
        throw bench_error("redis-server answers " + std::string(what.words[0]) + " with '" +
                          reply.substr(0, reply.find('\r')) + "'");
    }
    return reply;
}

}  // namespace resp
