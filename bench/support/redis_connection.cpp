#include "redis_connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "bench_error.hpp"

namespace bench {
namespace {

constexpr std::string_view ping = "*2\r\n$4\r\nPING\r\n$16\r\nend-of-the-reply\r\n";
constexpr std::string_view pong = "$16\r\nend-of-the-reply\r\n";

[[noreturn]] void throw_errno(const char* what) {
    throw bench_error(std::string(what) +
                      " redis-server: " + std::generic_category().message(errno));
}

}  // namespace

void append_header(std::string& out, char kind, std::size_t number) {
    out += kind;
    out += std::to_string(number);
    out += "\r\n";
}

void append_word(std::string& out, std::string_view word) {
    append_header(out, '$', word.size());
    out += word;
    out += "\r\n";
}

std::string encoded(std::span<const std::string_view> words) {
    std::string out;
    append_header(out, '*', words.size());
    for (const std::string_view each : words) {
        append_word(out, each);
    }
    return out;
}

std::string encoded(std::initializer_list<std::string_view> words) {
    return encoded(std::span(words.begin(), words.size()));
}

redis_connection::redis_connection(const std::string& socket_path)
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

redis_connection::~redis_connection() { ::close(fd_); }

void redis_connection::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR) {
            throw_errno("writing to");
        }
        bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
}

std::size_t redis_connection::read_some(char* into, std::size_t size) {
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

void redis_connection::read_exactly(char* into, std::size_t size) {
    while (size > 0) {
        const std::size_t count = read_some(into, size);
        into += count;
        size -= count;
    }
}

std::string redis_connection::reply_to(std::span<const std::string_view> words) {
    write_all(encoded(words));
    write_all(ping);
    std::string reply;
    std::array<char, 65'536> part{};
    while (!reply.ends_with(pong)) {
        reply.append(part.data(), read_some(part.data(), part.size()));
    }
    reply.resize(reply.size() - pong.size());
    if (reply.starts_with('-')) {
        throw bench_error("redis-server answers " + std::string(words.front()) + " with '" +
                          reply.substr(0, reply.find('\r')) + "'");
    }
    return reply;
}

std::string redis_connection::reply_to(std::initializer_list<std::string_view> words) {
    return reply_to(std::span(words.begin(), words.size()));
}

}  // namespace bench
