#include "clients.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace soak {
namespace {

using bytes = std::vector<std::byte>;

constexpr std::size_t small_max = 4'096;
constexpr std::size_t large = std::size_t{256} << 10;  // more than the sockets take unread

bytes text_of(std::size_t length) { return bytes(length, std::byte{'w'}); }

std::unexpected<std::error_code> wrong(std::errc why) {
    return std::unexpected(std::make_error_code(why));
}

// Connections end by a reset: thousands in TIME_WAIT would use up the ports.
weir::task<weir::result<weir::tcp_stream>> connect(weir::socket_address server) {
    weir::result<weir::tcp_stream> peer = co_await weir::tcp_stream::connect(server);
    if (peer) {
        const weir::result<void> set = peer->set_reset_on_close();
        if (!set) {
            co_return std::unexpected(set.error());
        }
    }
    co_return peer;
}

// Reads `left` bytes, or to the end of the stream. ref: the caller's, which awaits at once.
weir::task<weir::result<std::size_t>> read_up_to(weir::tcp_stream& peer, std::size_t left) {
    bytes into(small_max);
    std::size_t have = 0;
    while (have < left) {
        const weir::result<std::size_t> count = co_await peer.read_some(into);
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            break;
        }
        have += *count;
    }
    co_return have;
}

outcome wait_for_bytes(weir::socket_address server) {
    weir::result<weir::tcp_stream> peer = co_await connect(server);
    if (!peer) {
        co_return std::unexpected(peer.error());
    }
    const weir::result<std::size_t> count = co_await read_up_to(*peer, 1);
    if (count) {
        co_return wrong(std::errc::bad_message);  // nobody has sent anything
    }
    co_return std::unexpected(count.error());
}

// It is expected to be stopped; in time it may also have ended well.
weir::result<void> expect_stopped(const weir::result<void>& done) {
    if (!done && done.error() != std::errc::timed_out) {
        return done;
    }
    return {};
}

}  // namespace

outcome ping(weir::socket_address server, std::uint32_t chance) {
    weir::result<weir::tcp_stream> peer = co_await connect(server);
    if (!peer) {
        co_return std::unexpected(peer.error());
    }
    const bytes text = text_of(1 + chance % small_max);
    const weir::result<void> written = co_await peer->write_all(text);
    if (!written) {
        co_return written;
    }
    const weir::result<std::size_t> count = co_await read_up_to(*peer, text.size());
    if (!count) {
        co_return std::unexpected(count.error());
    }
    if (*count != text.size()) {
        co_return wrong(std::errc::bad_message);
    }
    co_return weir::result<void>();
}

outcome half_close(weir::socket_address server, std::uint32_t chance) {
    weir::result<weir::tcp_stream> peer = co_await connect(server);
    if (!peer) {
        co_return std::unexpected(peer.error());
    }
    const bytes text = text_of(1 + chance % small_max);
    weir::result<void> written = co_await peer->write_all(text);
    if (written) {
        written = co_await peer->finish_writing();
    }
    if (!written) {
        co_return written;
    }
    const weir::result<std::size_t> count = co_await read_up_to(*peer, text.size() + 1);
    if (!count) {
        co_return std::unexpected(count.error());
    }
    if (*count != text.size()) {
        co_return wrong(std::errc::bad_message);
    }
    co_return weir::result<void>();
}

outcome reset_at_once(weir::socket_address server, std::uint32_t /*chance*/) {
    const weir::result<weir::tcp_stream> peer = co_await connect(server);
    co_return peer ? weir::result<void>() : std::unexpected(peer.error());
}

outcome reset_unread(weir::socket_address server, std::uint32_t chance) {
    weir::result<weir::tcp_stream> peer = co_await connect(server);
    if (!peer) {
        co_return std::unexpected(peer.error());
    }
    const bytes text = text_of(large);
    const weir::result<void> written = co_await peer->write_all(text);
    if (!written) {
        co_return written;
    }
    const weir::result<std::size_t> count = co_await read_up_to(*peer, 1 + chance % small_max);
    co_return count ? weir::result<void>() : std::unexpected(count.error());
}

outcome leave_received(weir::socket_address server, std::uint32_t chance) {
    weir::result<weir::tcp_stream> peer = co_await connect(server);
    if (!peer) {
        co_return std::unexpected(peer.error());
    }
    const bytes text = text_of(1 + chance % large);
    const weir::result<void> written = co_await peer->write_all(text);
    if (!written) {
        co_return written;
    }
    const weir::result<weir::received_buffer> first = co_await peer->receive();
    if (!first && first.error() != std::errc::no_buffer_space) {
        co_return std::unexpected(first.error());
    }
    co_return weir::result<void>();
}

outcome stop_reading(weir::socket_address server, std::uint32_t chance) {
    const std::chrono::microseconds length(chance % 2'000);
    const weir::result<void> done = co_await weir::with_timeout(length, wait_for_bytes(server));
    co_return expect_stopped(done);
}

outcome stop_anywhere(weir::socket_address server, std::uint32_t chance) {
    const std::chrono::microseconds length(chance % 500);
    outcome body = chance % 2 == 0 ? ping(server, chance) : reset_unread(server, chance);
    const weir::result<void> done = co_await weir::with_timeout(length, std::move(body));
    co_return expect_stopped(done);
}

}  // namespace soak
