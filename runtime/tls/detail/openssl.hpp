// OpenSSL's objects with owners, and where its numbers stand among the error codes. Included only
// by sources of this folder, so that nobody else sees OpenSSL's headers.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "../context.hpp"

namespace weir::detail {

inline constexpr int certificate_errors = 10'000;  // + X509_V_ERR
inline constexpr int protocol_errors = 20'000;     // + SSL_R

template <auto Free>
struct openssl_free {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

using bio_owner = std::unique_ptr<BIO, openssl_free<&BIO_free_all>>;
using certificate_owner = std::unique_ptr<X509, openssl_free<&X509_free>>;
using key_owner = std::unique_ptr<EVP_PKEY, openssl_free<&EVP_PKEY_free>>;
using ssl_context_owner = std::unique_ptr<SSL_CTX, openssl_free<&SSL_CTX_free>>;
using ssl_owner = std::unique_ptr<SSL, openssl_free<&SSL_free>>;

// Immutable once its context is made; OpenSSL counts references to `ssl` atomically.
struct tls_context_state {
    tls_role role = tls_role::client;
    bool verifies_server = true;
    std::string alpn;  // as on the wire: each entry behind a byte with its length
    ssl_context_owner ssl;
};

}  // namespace weir::detail
