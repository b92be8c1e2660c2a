// Names of servers and of certificates.
#pragma once

#include <string>
#include <string_view>

#include "openssl.hpp"

namespace weir::detail {

// Makes `ssl`, a client's, send `name` and verify the server's certificate against it. False where
// `name` is neither a host name (RFC 1123; 253 bytes, labels of 1 to 63 letters, digits, '-' and
// '_') nor an IP address, or is empty while `verified`. Throws std::bad_alloc.
[[nodiscard]] bool set_server_name(SSL& ssl, std::string_view name, bool verified);

// The subject's name, RFC 2253; bytes that are no printable ASCII stand there escaped.
[[nodiscard]] std::string subject_of(const X509& certificate);

}  // namespace weir::detail
