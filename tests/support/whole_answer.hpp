// What a TCP server answers, for tests of servers that close behind their answer. Thread: the
// loop's.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include <weir/runtime/net/address.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/task.hpp>

namespace weir::test {

// All that comes behind these bytes, to the end; empty where nobody listens.
inline task<std::string> whole_answer(socket_address where, std::string request) {
    auto peer = co_await tcp_stream::connect(where);
    std::string all;
    if (!peer) {
        co_return all;
    }
    static_cast<void>(co_await peer->write_all(std::as_bytes(std::span(request))));
    std::array<std::byte, 512> part;
    for (;;) {
        const auto count = co_await peer->read_some(part);
        if (count.value_or(0) == 0) {
            co_return all;
        }
        all.append(reinterpret_cast<const char*>(part.data()), *count);
    }
}

}  // namespace weir::test
