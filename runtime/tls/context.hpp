// tls_context: what the TLS connections of a program have in common: role, certificates, key, whom
// they trust.
//
//     weir::tls_options options;
//     options.role = weir::tls_role::server;
//     options.certificate_chain = weir::tls_pem::file("/etc/weir/server.pem");
//     options.private_key = weir::tls_pem::file("/etc/weir/server.key");
//     options.alpn = {"h2", "http/1.1"};
//     const weir::tls_context context(options);
//
// A client verifies the server's certificate and name unless it is told not to, against the
// system's authorities (on Debian, package ca-certificates) or, where `authorities` is given,
// against those alone. The name has to stand in the certificate's subjectAltName, or, where that
// names no host at all, in its common name.
//
// Renegotiation, compression and session caches are off; session tickets are on, as OpenSSL has
// them.
//
// A context is a handle: copies share one immutable state, which lives as long as one of them or
// one connection does.
// Errors: the constructor throws tls_configuration_error, whose text names the option, the file and
// OpenSSL's reason, and never what is in a file or a passphrase.
// Blocks: the constructor reads files.
// Thread: any; a context may be shared by the loops of several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace weir {

namespace detail {
struct tls_context_state;
}

enum class tls_role : std::uint8_t { client, server };

enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };

// What a server does about certificates of its clients.
enum class tls_client_certificates : std::uint8_t {
    none,      // asks for none
    optional,  // asks, and verifies the one that it gets
    required   // and refuses clients without one
};

// PEM text (RFC 7468), in a file or in memory; at most 16 MiB.
class tls_pem {
  public:
    // Nothing: the option was not given.
    tls_pem() = default;
    [[nodiscard]] static tls_pem file(std::string path) { return {kind::file, std::move(path)}; }
    [[nodiscard]] static tls_pem bytes(std::string text) { return {kind::bytes, std::move(text)}; }

    [[nodiscard]] bool given() const noexcept { return kind_ != kind::none; }
    [[nodiscard]] bool is_file() const noexcept { return kind_ == kind::file; }
    // The path or the text.
    [[nodiscard]] const std::string& value() const noexcept { return value_; }

  private:
    enum class kind : std::uint8_t { none, file, bytes };
    tls_pem(kind what, std::string value) : kind_(what), value_(std::move(value)) {}

    kind kind_ = kind::none;
    std::string value_;
};

struct tls_options {
    tls_role role = tls_role::client;

    // Client: false accepts every certificate, so anybody in between can read and write.
    bool verify_server = true;

    // Whose certificates are trusted; at least one. Not given: the system's. A server that asks for
    // certificates needs them: the system's authorities vouch for names of servers.
    tls_pem authorities = {};

    // The own certificate first, then those that lead to the authority. A server needs both, a
    // client both or none.
    tls_pem certificate_chain = {};
    tls_pem private_key = {};
    std::string private_key_passphrase = {};  // empty: the key is not encrypted

    tls_client_certificates client_certificates = tls_client_certificates::none;

    tls_version minimum_version = tls_version::tls_1_2;

    // Protocols by preference, each of 1 to 255 bytes, 65,535 in all with a length byte each
    // (RFC 7301). A server refuses clients that offer some and have none in common with it; clients
    // that offer none pass.
    std::vector<std::string> alpn = {};
};

class tls_configuration_error : public std::runtime_error {
  public:
    using runtime_error::runtime_error;
};

class tls_context {
  public:
    explicit tls_context(const tls_options& options);

    [[nodiscard]] tls_role role() const noexcept;

    // For the library.
    [[nodiscard]] const detail::tls_context_state& state() const noexcept { return *state_; }

  private:
    std::shared_ptr<const detail::tls_context_state> state_;
};

}  // namespace weir
