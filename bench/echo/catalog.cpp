#include "catalog.hpp"

#include <array>

namespace echo {
namespace {

constexpr std::string_view here = "echo_server";
constexpr std::string_view asio_uring_program = "echo_server_asio_uring";

#ifdef WEIR_ECHO_ASIO
constexpr std::string_view asio_missing;
#else
constexpr std::string_view asio_missing = "Boost 1.81 (Debian: libboost1.81-dev)";
#endif
#ifdef WEIR_ECHO_LIBUV
constexpr std::string_view libuv_missing;
#else
constexpr std::string_view libuv_missing = "libuv (Debian: libuv1-dev)";
#endif

constexpr auto all = std::to_array<server>({
    {"weir_span", here, "weir, each connection reads into memory of its own", ""},
    {"weir_buffers", here, "weir, received in buffers that the loop's connections share", ""},
    {"liburing_link", here, "liburing by hand, the receive chained behind the answer", ""},
    {"liburing_multishot", here, "liburing by hand, multishot receive and a buffer ring", ""},
    {"epoll", here, "epoll by hand, level-triggered", ""},
    {"asio_epoll", here, "Boost.Asio on epoll, callbacks", asio_missing},
    {"asio_uring", asio_uring_program, "Boost.Asio on io_uring, callbacks", asio_missing},
    {"libuv", here, "libuv, callbacks", libuv_missing},
});

}  // namespace

std::span<const server> catalog() { return all; }

}  // namespace echo
