// The part of client_core that makes a connection: name, socket, TLS, greeting.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "../../runtime/detail/io_awaiter.hpp"
#include "../../runtime/net/resolver.hpp"
#include "../../runtime/net/tcp.hpp"
#include "../../runtime/with_timeout.hpp"
#include "../embedded_server.hpp"
#include "../sentinel.hpp"
#include "client_core.hpp"

namespace weir::redisq::detail {
namespace {

// One recv(2) or send(2).
class [[nodiscard]] transfer_awaiter : public weir::detail::io_awaiter {
  public:
    transfer_awaiter(io_opcode opcode, int fd, const void* bytes, std::size_t size) noexcept {
        request.opcode = opcode;
        request.fd = fd;
        request.address = const_cast<void*>(bytes);  // only a receive writes, to what was not const
        request.length = static_cast<std::uint32_t>(size);
        request.operation_flags = MSG_NOSIGNAL;
    }

    weir::result<std::size_t> await_resume() const noexcept {
        const weir::result<int> count = finish();
        if (!count) {
            return std::unexpected(count.error());
        }
        return static_cast<std::size_t>(*count);
    }
};

error about(const std::string& what, std::error_code cause) {
    return {cause, what + ": " + cause.message()};
}

void set_tcp_options(int fd) noexcept {
    const auto set = [fd](int level, int option, int value) noexcept {
        static_cast<void>(::setsockopt(fd, level, option, &value, sizeof value));
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    // Tells a connection that nobody uses from one whose other end has gone without a word.
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 6);
}

task<result<file_descriptor>> connect_unix(std::string path) {
    const weir::result<socket_address> address = socket_address::unix_path(path);
    if (!address) {
        co_return std::unexpected(about("unix socket " + path, address.error()));
    }
    weir::result<file_descriptor> connected =
        co_await weir::detail::connected_socket(SOCK_STREAM, *address, connect_options());
    if (!connected) {
        co_return std::unexpected(about("unix socket " + path, connected.error()));
    }
    co_return std::move(*connected);
}

task<result<file_descriptor>> connect_host(server_host host) {
    const auto found = co_await resolve(host.name, host.port);
    if (!found) {
        co_return std::unexpected(about(host.to_string(), found.error()));
    }
    std::error_code failed = std::make_error_code(std::errc::destination_address_required);
    for (const socket_address& address : *found) {
        weir::result<file_descriptor> connected =
            co_await weir::detail::connected_socket(SOCK_STREAM, address, connect_options());
        if (connected) {
            set_tcp_options(connected->get());
            co_return std::move(*connected);
        }
        failed = connected.error();
        if (failed == std::errc::operation_canceled) {
            break;
        }
    }
    co_return std::unexpected(about(host.to_string(), failed));
}

task<weir::result<void>> send_all(int fd, std::vector<std::byte> bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const weir::result<std::size_t> count = co_await transfer_awaiter(
            io_opcode::send, fd, bytes.data() + sent, bytes.size() - sent);
        if (!count) {
            co_return std::unexpected(count.error());
        }
        sent += *count;
    }
    co_return weir::result<void>();
}

// ref: the filter lives in the frame that awaits this.
task<weir::result<void>> shake_hands(int fd, wire_filter& filter) {
    while (true) {
        const weir::result<bool> done = filter.shake_hands();
        std::vector<std::byte> output;
        filter.take_output(output);
        const weir::result<void> sent = co_await send_all(fd, std::move(output));
        if (!done) {
            co_return std::unexpected(done.error());
        }
        if (!sent || *done) {
            co_return sent;
        }
        const std::span<std::byte> space = filter.input_space();
        const weir::result<std::size_t> count =
            co_await transfer_awaiter(io_opcode::receive, fd, space.data(), space.size());
        if (!count) {
            co_return std::unexpected(count.error());
        }
        filter.add_input(*count);
    }
}

// A socket with a server at its other end, and the name by which that is known.
struct reached {
    reached(file_descriptor connected, std::string host)
        : socket(std::move(connected)), name(std::move(host)) {}
    file_descriptor socket;
    std::string name;
};

// Those of the URL, or those that its sentinels name.
// ref: the options are those of the core, which outlives its task.
task<result<std::vector<server_host>>> hosts_of(const client_options& options) {
    if (options.server.master.empty()) {
        co_return options.server.hosts;
    }
    if (options.role == server_role::replica) {
        co_return co_await find_replicas(options);
    }
    const result<server_host> master = co_await find_master(options);
    if (!master) {
        co_return std::unexpected(master.error());
    }
    co_return std::vector<server_host>(1, *master);
}

// ref: the options are those of the core, which outlives its task.
task<result<reached>> reach(const client_options& options) {
    const server_url& server = options.server;
    if (server.over == transport::unix_socket || server.over == transport::embedded) {
        result<std::string> path = server.path;
        if (server.over == transport::embedded) {
            path = co_await embedded_server::shared_socket();
        }
        if (!path) {
            co_return std::unexpected(std::move(path.error()));
        }
        result<file_descriptor> socket = co_await connect_unix(*path);
        if (!socket) {
            co_return std::unexpected(std::move(socket.error()));
        }
        co_return reached(std::move(*socket), *path);
    }
    result<std::vector<server_host>> hosts = co_await hosts_of(options);
    if (!hosts) {
        co_return std::unexpected(std::move(hosts.error()));
    }
    error failed(errc::connect_failed);
    for (const server_host& host : *hosts) {
        result<file_descriptor> socket = co_await connect_host(host);
        if (socket) {
            co_return reached(std::move(*socket), host.name);
        }
        failed = std::move(socket.error());
        if (failed.code() == std::errc::operation_canceled) {
            break;
        }
    }
    co_return std::unexpected(std::move(failed));
}

}  // namespace

task<result<void>> client_core::open() {
    // The timer stops the attempt, and what it waits in gives operation_canceled.
    weir::detail::subtask<result<void>> attempt(make_connection());
    weir::detail::stop_timer timer(attempt, saturating_add(loop().now(), options_.connect_timeout));
    co_await attempt;
    timer.disarm();
    result<void> made = attempt.take();
    const bool is_tls = options_.server.over == transport::tls;
    if (!made && timer.expired() && made.error().code() == std::errc::operation_canceled) {
        // A server of plain text waits for the end of what it takes for a line.
        made = std::unexpected(
            error(make_error_code(errc::connect_failed),
                  options_.server.to_string() + ": no connection in time" +
                      (is_tls ? "; if the server speaks no TLS on this port, use redis://" : "")));
    } else if (!made && made.error() == errc::connection_lost) {
        made = std::unexpected(error(
            make_error_code(errc::connect_failed),
            options_.server.to_string() + ": " + made.error().message() + " during the greeting" +
                (is_tls ? "" : "; if the server speaks TLS on this port, use rediss://")));
    }
    co_return made;
}

task<result<void>> client_core::make_connection() {
    result<reached> peer = co_await reach(options_);
    if (!peer) {
        co_return std::unexpected(std::move(peer.error()));
    }
    std::unique_ptr<wire_filter> filter;
    if (options_.server.over == transport::tls) {
        auto made = make_tls_filter(options_, peer->name);
        if (!made) {
            co_return std::unexpected(std::move(made.error()));
        }
        filter = std::move(*made);
        const weir::result<void> shaken = co_await shake_hands(peer->socket.get(), *filter);
        if (!shaken) {
            co_return std::unexpected(about(options_.server.to_string(), shaken.error()));
        }
    }
    connection_.reset(
        new connection(loop(), std::move(peer->socket), std::move(filter), options_.limits, *this));
    co_return co_await greet();
}

task<result<void>> client_core::greet() {
    handshake_.emplace(options_);
    greeting_error_.reset();
    greeting_ended_.reset();
    connection_->send_secret(handshake_->output());
    connection_->start();
    try {
        co_await greeting_ended_.wait();
    } catch (const canceled&) {
        end_greeting(error(std::make_error_code(std::errc::operation_canceled)));
    }
    if (greeting_error_) {
        co_return std::unexpected(std::move(*greeting_error_));
    }
    co_return result<void>();
}

void client_core::greeted(const resp::reply_view& reply) {
    const result<handshake::progress> step = handshake_->take(reply);
    if (!step) {
        end_greeting(step.error());
    } else if (*step == handshake::progress::sending) {
        connection_->send_secret(handshake_->output());
    } else if (*step == handshake::progress::done) {
        protocol_ = handshake_->facts().protocol;
        end_greeting(std::nullopt);
    }
}

void client_core::end_greeting(std::optional<error> why) noexcept {
    handshake_.reset();
    greeting_error_ = std::move(why);
    greeting_ended_.set();
}

}  // namespace weir::redisq::detail
