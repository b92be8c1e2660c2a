// What a tls_pem holds, as OpenSSL's objects. All of it throws tls_configuration_error, whose text
// begins with the option's name and the file's.
#pragma once

#include <string>
#include <vector>

#include "openssl.hpp"

namespace weir::detail {

inline constexpr std::size_t pem_bytes_max = std::size_t{16} << 20;

// Throws with OpenSSL's reason, that is the first error in its queue, which is then empty.
[[noreturn]] void throw_openssl_error(const std::string& what);

// "tls_context: OPTION" or "tls_context: OPTION (file 'PATH')".
[[nodiscard]] std::string describe(const char* option, const tls_pem& source);

// One or more certificates, in their order.
[[nodiscard]] std::vector<certificate_owner> load_certificates(const char* option,
                                                               const tls_pem& source);

[[nodiscard]] key_owner load_private_key(const tls_pem& source, const std::string& passphrase);

}  // namespace weir::detail
