// The servers of bench/echo_server. Asio on io_uring is not among them: it needs other settings of
// Boost than Asio on epoll, and a program can have only one of both (asio_uring.cpp).
#include <array>

#include "server.hpp"

namespace echo {

void serve_weir_span(server_job& job);
void serve_weir_buffers(server_job& job);
void serve_liburing_link(server_job& job);
void serve_liburing_multishot(server_job& job);
void serve_epoll(server_job& job);
#ifdef WEIR_ECHO_ASIO
void serve_asio_epoll(server_job& job);
#endif
#ifdef WEIR_ECHO_LIBUV
void serve_libuv(server_job& job);
#endif

std::span<const server_entry> servers() {
    static constexpr auto all = std::to_array<server_entry>({
        {"weir_span", serve_weir_span},
        {"weir_buffers", serve_weir_buffers},
        {"liburing_link", serve_liburing_link},
        {"liburing_multishot", serve_liburing_multishot},
        {"epoll", serve_epoll},
#ifdef WEIR_ECHO_ASIO
        {"asio_epoll", serve_asio_epoll},
#endif
#ifdef WEIR_ECHO_LIBUV
        {"libuv", serve_libuv},
#endif
    });
    return all;
}

}  // namespace echo
