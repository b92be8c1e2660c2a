// What the example servers have in common: they listen on 127.0.0.1, say where, and take whoever
// comes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <weir/runtime.hpp>

namespace example {

// Throws std::system_error, which names the port.
inline weir::tcp_listener listen(std::uint64_t port) {
    const auto number = static_cast<std::uint16_t>(port);
    auto listening = weir::tcp_listener::listen(weir::socket_address::loopback_ipv4(number));
    if (!listening) {
        throw std::system_error(listening.error(), "port " + std::to_string(number));
    }
    return std::move(*listening);
}

inline void announce(const weir::tcp_listener& listener) {
    std::printf("listening on %s\n", listener.local_address()->to_string().c_str());
    std::fflush(stdout);
}

// The next connection. Throws weir::canceled, and std::system_error.
// ref: the listener outlives the task
inline weir::task<weir::tcp_stream> accept(weir::tcp_listener& listener) {
    weir::result<weir::tcp_stream> peer = co_await listener.accept();
    if (!peer && peer.error() == std::errc::operation_canceled) {
        throw weir::canceled();
    }
    if (!peer) {
        throw std::system_error(peer.error(), "accept");
    }
    co_return std::move(*peer);
}

}  // namespace example
