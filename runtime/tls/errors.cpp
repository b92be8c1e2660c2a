#include "errors.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <string>

#include "detail/openssl.hpp"

namespace weir {
namespace {

using detail::certificate_errors;
using detail::protocol_errors;

constexpr bool same(tls_errc code, int base, int number) {
    return static_cast<int>(code) == base + number;
}
static_assert(same(tls_errc::certificate_not_yet_valid, certificate_errors,
                   X509_V_ERR_CERT_NOT_YET_VALID));
static_assert(same(tls_errc::certificate_expired, certificate_errors, X509_V_ERR_CERT_HAS_EXPIRED));
static_assert(same(tls_errc::certificate_self_signed, certificate_errors,
                   X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT));
static_assert(same(tls_errc::authority_self_signed, certificate_errors,
                   X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN));
static_assert(same(tls_errc::authority_unknown, certificate_errors,
                   X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
static_assert(same(tls_errc::certificate_wrong_purpose, certificate_errors,
                   X509_V_ERR_INVALID_PURPOSE));
static_assert(same(tls_errc::certificate_untrusted, certificate_errors, X509_V_ERR_CERT_UNTRUSTED));
static_assert(same(tls_errc::host_name_mismatch, certificate_errors, X509_V_ERR_HOSTNAME_MISMATCH));
static_assert(same(tls_errc::ip_address_mismatch, certificate_errors,
                   X509_V_ERR_IP_ADDRESS_MISMATCH));
static_assert(same(tls_errc::peer_certificate_missing, protocol_errors,
                   SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE));
static_assert(same(tls_errc::no_common_protocol, protocol_errors, SSL_R_NO_APPLICATION_PROTOCOL));
static_assert(same(tls_errc::unsupported_protocol, protocol_errors, SSL_R_UNSUPPORTED_PROTOCOL));
static_assert(same(tls_errc::alert_unknown_authority, protocol_errors,
                   SSL_R_TLSV1_ALERT_UNKNOWN_CA));
static_assert(same(tls_errc::alert_certificate_required, protocol_errors,
                   SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED));
static_assert(same(tls_errc::alert_no_common_protocol, protocol_errors,
                   SSL_AD_REASON_OFFSET + TLS1_AD_NO_APPLICATION_PROTOCOL));

constexpr int alerts_begin = protocol_errors + SSL_AD_REASON_OFFSET;
constexpr int alerts_end = alerts_begin + 256;

const char* own_message(tls_errc code) noexcept {
    switch (code) {
        case tls_errc::truncated:
            return "the stream ended without the peer's close_notify; bytes may be missing";
        case tls_errc::closed_in_handshake:
            return "the peer closed the stream before the TLS handshake was done";
        case tls_errc::not_tls:
            return "the peer does not speak TLS (plain text on this port?)";
        case tls_errc::invalid_server_name:
            return "the server's name is neither a host name nor an IP address";
        case tls_errc::write_interrupted:
            return "an earlier write was stopped inside a TLS record; no more can be sent";
        case tls_errc::protocol_error:
            return "what the peer sent is no valid TLS";
        default:
            return nullptr;
    }
}

// The reason in OpenSSL's words, "reason N" where it has none.
std::string protocol_reason(int number) {
    const char* const words =
        ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, static_cast<unsigned long>(number)));
    return words != nullptr ? words : "reason " + std::to_string(number);
}

class tls_error_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.tls"; }

    [[nodiscard]] std::string message(int value) const override {
        if (value >= alerts_begin && value < alerts_end) {
            return "the peer ended the connection: " + protocol_reason(value - protocol_errors);
        }
        if (value >= protocol_errors) {
            return "TLS failed: " + protocol_reason(value - protocol_errors);
        }
        if (value >= certificate_errors) {
            return std::string("the peer's certificate is refused: ") +
                   X509_verify_cert_error_string(value - certificate_errors);
        }
        const char* const words = own_message(static_cast<tls_errc>(value));
        return words != nullptr ? words : "unknown TLS error " + std::to_string(value);
    }
};

}  // namespace

const std::error_category& tls_category() noexcept {
    static const tls_error_category category;
    return category;
}

std::error_code make_error_code(tls_errc code) noexcept {
    return {static_cast<int>(code), tls_category()};
}

bool is_certificate_error(const std::error_code& error) noexcept {
    return error.category() == tls_category() &&
           ((error.value() >= certificate_errors && error.value() < protocol_errors) ||
            error == tls_errc::peer_certificate_missing);
}

bool is_tls_alert(const std::error_code& error) noexcept {
    return error.category() == tls_category() && error.value() >= alerts_begin &&
           error.value() < alerts_end;
}

}  // namespace weir
