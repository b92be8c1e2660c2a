#include "context.hpp"

#include <openssl/err.h>

#include <algorithm>

#include "detail/pem.hpp"

namespace weir {
namespace {

using detail::tls_context_state;

[[noreturn]] void refuse(const std::string& why) {
    throw tls_configuration_error("tls_context: " + why);
}

void check_combination(const tls_options& options) {
    if (options.certificate_chain.given() != options.private_key.given()) {
        refuse(options.private_key.given() ? "private_key is given without certificate_chain"
                                           : "certificate_chain is given without private_key");
    }
    if (options.role == tls_role::client) {
        if (options.client_certificates != tls_client_certificates::none) {
            refuse("client_certificates is a server's option, the role is client");
        }
        return;
    }
    if (!options.certificate_chain.given()) {
        refuse("a server needs certificate_chain and private_key");
    }
    if (options.client_certificates != tls_client_certificates::none &&
        !options.authorities.given()) {
        refuse("client_certificates needs authorities, against which they are verified");
    }
}

// The list as on the wire (RFC 7301, section 3.1).
std::string alpn_list(const std::vector<std::string>& protocols) {
    constexpr std::size_t entry_max = 255;
    constexpr std::size_t list_max = 65'535;
    std::string list;
    for (const std::string& protocol : protocols) {
        if (protocol.empty() || protocol.size() > entry_max) {
            refuse("an entry of alpn has " + std::to_string(protocol.size()) +
                   " bytes, allowed: 1 to " + std::to_string(entry_max));
        }
        list += static_cast<char>(static_cast<unsigned char>(protocol.size()));
        list += protocol;
    }
    if (list.size() > list_max) {
        refuse("alpn has " + std::to_string(list.size()) +
               " bytes with its lengths, allowed: " + std::to_string(list_max));
    }
    return list;
}

int select_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void* state) noexcept {
    const std::string& ours = static_cast<const tls_context_state*>(state)->alpn;
    unsigned char* chosen = nullptr;
    const int outcome = SSL_select_next_proto(
        &chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
        static_cast<unsigned int>(ours.size()), offered, offered_size);
    *out = chosen;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_alpn(tls_context_state& state) {
    if (state.alpn.empty()) {
        return;
    }
    if (state.role == tls_role::server) {
        SSL_CTX_set_alpn_select_cb(state.ssl.get(), &select_protocol, &state);
        return;
    }
    // Returns 0 for success, unlike the rest of OpenSSL.
    if (SSL_CTX_set_alpn_protos(state.ssl.get(),
                                reinterpret_cast<const unsigned char*>(state.alpn.data()),
                                static_cast<unsigned int>(state.alpn.size())) != 0) {
        detail::throw_openssl_error("tls_context: alpn");
    }
}

void set_authorities(SSL_CTX& ssl, const tls_options& options) {
    if (!options.authorities.given()) {
        if (options.role == tls_role::client && options.verify_server &&
            SSL_CTX_set_default_verify_paths(&ssl) != 1) {
            detail::throw_openssl_error("tls_context: the system's authorities");
        }
        return;
    }
    X509_STORE& store = *SSL_CTX_get_cert_store(&ssl);
    for (const auto& certificate : detail::load_certificates("authorities", options.authorities)) {
        // A server names them, so that a client with several certificates knows which to send.
        const bool names = options.client_certificates != tls_client_certificates::none;
        if (X509_STORE_add_cert(&store, certificate.get()) != 1 ||
            (names && SSL_CTX_add_client_CA(&ssl, certificate.get()) != 1)) {
            detail::throw_openssl_error(detail::describe("authorities", options.authorities));
        }
    }
}

void set_own_certificate(SSL_CTX& ssl, const tls_options& options) {
    if (!options.certificate_chain.given()) {
        return;
    }
    const std::string what = detail::describe("certificate_chain", options.certificate_chain);
    auto chain = detail::load_certificates("certificate_chain", options.certificate_chain);
    if (SSL_CTX_use_certificate(&ssl, chain.front().get()) != 1) {
        detail::throw_openssl_error(what);
    }
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(&ssl, chain[i].get()) != 1) {
            detail::throw_openssl_error(what);
        }
    }
    const detail::key_owner key =
        detail::load_private_key(options.private_key, options.private_key_passphrase);
    if (SSL_CTX_use_PrivateKey(&ssl, key.get()) != 1 || SSL_CTX_check_private_key(&ssl) != 1) {
        detail::throw_openssl_error(detail::describe("private_key", options.private_key) +
                                    ": does not belong to certificate_chain");
    }
}

int verify_mode(const tls_options& options) noexcept {
    if (options.role == tls_role::client) {
        return options.verify_server ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    }
    switch (options.client_certificates) {
        case tls_client_certificates::none:
            return SSL_VERIFY_NONE;
        case tls_client_certificates::optional:
            return SSL_VERIFY_PEER;
        case tls_client_certificates::required:
            break;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

void set_protocol(SSL_CTX& ssl, const tls_options& options) {
    const int version =
        options.minimum_version == tls_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (SSL_CTX_set_min_proto_version(&ssl, version) != 1) {
        detail::throw_openssl_error("tls_context: minimum_version");
    }
    SSL_CTX_set_options(&ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Partial writes end at a record; a repeated write may come from another address; a connection
    // that is idle holds no record buffers.
    SSL_CTX_set_mode(&ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(&ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(&ssl, verify_mode(options), nullptr);
    // Without it, a client that sent a certificate would be refused when it resumes its session.
    static constexpr unsigned char session_group[] = "weir";
    if (SSL_CTX_set_session_id_context(&ssl, session_group, sizeof(session_group) - 1) != 1) {
        detail::throw_openssl_error("tls_context: session tickets");
    }
}

}  // namespace

tls_context::tls_context(const tls_options& options) {
    check_combination(options);
    auto state = std::make_shared<tls_context_state>();
    state->role = options.role;
    state->verifies_server = options.verify_server;
    state->alpn = alpn_list(options.alpn);
    ERR_clear_error();
    const bool client = options.role == tls_role::client;
    state->ssl.reset(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
    if (state->ssl == nullptr) {
        detail::throw_openssl_error("tls_context: OpenSSL cannot be set up");
    }
    SSL_CTX& ssl = *state->ssl;
    set_protocol(ssl, options);
    set_authorities(ssl, options);
    set_own_certificate(ssl, options);
    set_alpn(*state);
    state_ = std::move(state);
}

tls_role tls_context::role() const noexcept { return state_->role; }

}  // namespace weir
