// Errors of TLS: refused certificates, broken protocol, streams that were cut off.
//
//     const std::error_code error = weir::tls_errc::certificate_expired;
//     if (weir::is_certificate_error(error)) { report(error.message()); }
//
// Three ranges of one category, "weir.tls": the enumerators below 10,000 are this library's own;
// 10,000 + n is OpenSSL's X509_V_ERR n (openssl-verification-options(1), X509_verify_cert_error_
// string(3)); 20,000 + n is reason n of OpenSSL's SSL library, where n = 1,000 + a stands for alert
// a of RFC 8446, section 6, sent by the peer. The message of each names the reason, so that values
// without an enumerator tell as much as the others.
//
// Bad configuration is not an error code: it throws tls_configuration_error (context.hpp).
//
// Thread: any; all types are values.
#pragma once

#include <system_error>

namespace weir {

enum class tls_errc {
    truncated = 1,        // the stream ended without the peer's close_notify: bytes may be missing
    closed_in_handshake,  // the peer closed the stream before the handshake was done
    not_tls,              // the peer's first bytes are no TLS: it speaks plain text, perhaps
    invalid_server_name,  // neither a host name nor an IP address, or empty while it is verified
    write_interrupted,    // an earlier write was stopped inside a record; no more can be sent
    protocol_error,       // OpenSSL refused what came, and gave no reason of its SSL library

    certificate_not_yet_valid = 10'009,
    certificate_expired = 10'010,
    certificate_self_signed = 10'018,    // the peer's own certificate, and nobody vouches for it
    authority_self_signed = 10'019,      // the chain ends in an authority that is not trusted
    authority_unknown = 10'020,          // whoever signed the chain's last certificate is not known
    certificate_wrong_purpose = 10'026,  // a server's certificate in a client's hands, for instance
    certificate_untrusted = 10'027,
    host_name_mismatch = 10'062,
    ip_address_mismatch = 10'064,

    peer_certificate_missing = 20'199,  // the server requires one, and the client sent none
    no_common_protocol = 20'235,        // ALPN: the two lists have no entry in common
    unsupported_protocol = 20'258,      // the peer's versions are below minimum_version
    alert_handshake_failure = 21'040,
    alert_bad_certificate = 21'042,
    alert_certificate_expired = 21'045,
    alert_unknown_authority = 21'048,
    alert_protocol_version = 21'070,
    alert_certificate_required = 21'116,
    alert_no_common_protocol = 21'120
};

// The category of tls_errc; its name is "weir.tls".
const std::error_category& tls_category() noexcept;

std::error_code make_error_code(tls_errc code) noexcept;

// Whether the peer's certificate was the reason, on this side.
[[nodiscard]] bool is_certificate_error(const std::error_code& error) noexcept;

// Whether the peer said so in an alert.
[[nodiscard]] bool is_tls_alert(const std::error_code& error) noexcept;

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::tls_errc> : std::true_type {};
