// Errors of sockets, names and the readers on top of them.
//
//     const weir::result<weir::socket_address> peer = weir::socket_address::parse("10.0.0.1:80");
//     if (!peer && peer.error() == weir::net_errc::bad_port) { report(peer.error().message()); }
//
// Errors of the kernel keep their errno and the system category; these are the ones that no errno
// tells. Where an errno means the same, the code also equals that std::errc: bad_address and
// bad_port invalid_argument, path_too_long filename_too_long, resolver_timeout timed_out,
// line_too_long message_size, resolver_busy resource_unavailable_try_again.
//
// Thread: any; all types are values.
#pragma once

#include <system_error>

namespace weir {

enum class net_errc {
    bad_address = 1,      // not the text of an address
    bad_port,             // the port is missing, not a number, or beyond 65535
    path_too_long,        // a Unix socket's path or abstract name has more than 107 bytes
    bad_host_name,        // a name to resolve is empty, holds a NUL or has more than 253 bytes
    host_not_found,       // the name does not exist, or has no address of the family
    service_not_found,    // the service is unknown for streams or datagrams
    name_server_failure,  // the name server failed, refused or could not be asked; may pass
    resolver_timeout,     // no answer within the time that the caller gave
    resolver_busy,        // as many lookups are under way as are allowed
    line_too_long,        // no delimiter within the limit
    unexpected_end,       // the stream ended inside what was being read
    end_of_stream         // the stream ended where something was to begin
};

// The category of net_errc; its name is "weir.net".
const std::error_category& net_category() noexcept;

std::error_code make_error_code(net_errc code) noexcept;

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::net_errc> : std::true_type {};
