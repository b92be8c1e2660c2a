// The peers of a soak: each makes one connection and treats it in a way of its own.
#pragma once

#include <array>
#include <cstdint>
#include <weir/runtime.hpp>

namespace soak {

// What a client has to report: nothing, or what it did not expect.
using outcome = weir::task<weir::result<void>>;

struct client_kind {
    const char* name;
    outcome (*run)(weir::socket_address server, std::uint32_t chance);
};

// `chance` is a random number, for lengths and times.
outcome ping(weir::socket_address server, std::uint32_t chance);
outcome half_close(weir::socket_address server, std::uint32_t chance);
outcome reset_at_once(weir::socket_address server, std::uint32_t chance);
outcome reset_unread(weir::socket_address server, std::uint32_t chance);
outcome leave_received(weir::socket_address server, std::uint32_t chance);
outcome stop_reading(weir::socket_address server, std::uint32_t chance);
outcome stop_anywhere(weir::socket_address server, std::uint32_t chance);

inline constexpr std::array<client_kind, 7> client_kinds{{
    {"ping", &ping},
    {"half close", &half_close},
    {"reset at once", &reset_at_once},
    {"reset with bytes unread", &reset_unread},
    {"leave with buffers received", &leave_received},
    {"stop a read", &stop_reading},
    {"stop anywhere", &stop_anywhere},
}};

}  // namespace soak
