#include "support/redis_admin.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <stdexcept>
#include <system_error>

namespace weir::test {

redis_admin::redis_admin(const socket_address& to, std::chrono::milliseconds reply_limit)
    : socket_(::socket(to.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval limit{};
    limit.tv_sec = reply_limit.count() / 1'000;
    limit.tv_usec = reply_limit.count() % 1'000 * 1'000;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(socket_.get(), to.data(), to.size()) != 0) {
        throw std::system_error(errno, std::system_category(), to.to_string());
    }
}

std::string redis_admin::command(const std::vector<std::string>& words) {
    send(words);
    std::string reply = read_reply();
    received_.erase(0, taken_);
    taken_ = 0;
    return reply;
}

void redis_admin::send(const std::vector<std::string>& words) {
    std::string wire = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        wire.append("$").append(std::to_string(word.size())).append("\r\n");
        wire.append(word).append("\r\n");
    }
    for (std::size_t at = 0; at < wire.size();) {
        const ssize_t sent =
            ::send(socket_.get(), wire.data() + at, wire.size() - at, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            throw std::system_error(errno, std::system_category(), "send to redis-server");
        }
        at += sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
}

void redis_admin::receive() {
    char bytes[4'096];
    ssize_t count = 0;
    do {
        count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        throw std::runtime_error("redis-server gave no reply");
    }
    received_.append(bytes, static_cast<std::size_t>(count));
}

std::string redis_admin::read_line() {
    while (true) {
        const std::size_t end = received_.find("\r\n", taken_);
        if (end != std::string::npos) {
            std::string line = received_.substr(taken_, end - taken_);
            taken_ = end + 2;
            return line;
        }
        receive();
    }
}

std::string redis_admin::read_bytes(std::size_t count) {
    while (received_.size() - taken_ < count + 2) {
        receive();
    }
    std::string bytes = received_.substr(taken_, count);
    taken_ += count + 2;
    return bytes;
}

std::string redis_admin::read_reply() {
    std::string line = read_line();
    const char type = line.empty() ? '-' : line.front();
    if (type == '-') {
        return line;
    }
    line.erase(0, 1);
    if (type == '+' || type == ':') {
        return line;
    }
    const long size = std::stol(line);
    if (size < 0) {
        return "(nil)";
    }
    if (type == '$') {
        return read_bytes(static_cast<std::size_t>(size));
    }
    std::string elements;
    for (long i = 0; i < size; ++i) {
        elements.append(i == 0 ? "" : "\n").append(read_reply());
    }
    return elements;
}

}  // namespace weir::test
