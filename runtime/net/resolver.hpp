// resolve: the addresses of a host and a service, as the system's resolver gives them.
//
//     const weir::result<std::vector<weir::socket_address>> found =
//         co_await weir::resolve("localhost", 6379);
//     if (found) { report(found->front().to_string()); }
//
// Addresses come in the order in which they should be tried (RFC 6724), one or more. Hosts and
// ports that are numbers are read in place. Everything else goes to getaddrinfo(3), which blocks
// for as long as name servers take, and cannot be interrupted: so it runs on threads of the
// resolver's own, never on those of blocking(), and the await does not depend on it. A stop and the
// timeout end the await at once; the lookup is then nobody's, and what it finds is dropped, even
// when its loop has ended before.
//
// Limits: lookups_max of a process are inside getaddrinfo(3) at a time, the abandoned ones among
// them; lookups_waiting_max wait for their turn, more are refused (net_errc::resolver_busy).
// Nothing is cached here: that is the business of the system's resolver (nscd, systemd-resolved).
//
// Errors: net_errc::bad_host_name, service_not_found, host_not_found, name_server_failure,
// resolver_timeout, resolver_busy; std::errc::operation_canceled when the task was stopped,
// address_family_not_supported for a family other than ipv4, ipv6 and unspecified, and errors of
// the system (not_enough_memory; resource_unavailable_try_again where it refuses a thread).
// Throws std::bad_alloc. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../clock.hpp"
#include "../task.hpp"
#include "address.hpp"

namespace weir {

struct resolve_options {
    static constexpr duration timeout_default = std::chrono::seconds(30);

    resolve_options() noexcept = default;
    explicit resolve_options(duration limit,
                             address_family wanted = address_family::unspecified) noexcept
        : timeout(limit), family(wanted) {}

    // From the start of the await; duration::max() for as long as the system takes.
    duration timeout = timeout_default;
    // ipv4, ipv6, or unspecified for both.
    address_family family = address_family::unspecified;
};

inline constexpr std::size_t lookups_max = 8;
inline constexpr std::size_t lookups_waiting_max = 1'024;

// `host`: 1 to 253 bytes without a NUL: a name, or an address without brackets. `service`: a port
// from 0 to 65535, or a name of services(5), for TCP.
[[nodiscard]] task<result<std::vector<socket_address>>> resolve(
    std::string host, std::string service, resolve_options options = resolve_options());

[[nodiscard]] task<result<std::vector<socket_address>>> resolve(
    std::string host, std::uint16_t port, resolve_options options = resolve_options());

}  // namespace weir
