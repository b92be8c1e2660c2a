// Two ends of a TLS connection without a network: engines of ours, and OpenSSL by hand for what our
// engine never does by itself.
//
// Thread: one at a time.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/tls/engine.hpp>

#include "support/certificates.hpp"

namespace weir::test {

using bytes = std::vector<std::byte>;

inline constexpr std::size_t unbroken = std::numeric_limits<std::size_t>::max();

[[nodiscard]] inline bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

[[nodiscard]] inline std::string text_of(std::span<const std::byte> from) {
    return {reinterpret_cast<const char*>(from.data()), from.size()};
}

// The bytes of the first record.
[[nodiscard]] inline std::size_t record_size(std::span<const std::byte> wire) {
    return 5 + (std::to_integer<std::size_t>(wire[3]) << 8) + std::to_integer<std::size_t>(wire[4]);
}

// An engine, and what it has come to. It takes what comes as a stream would: the handshake, then
// all that can be read.
class endpoint {
  public:
    explicit endpoint(tls_engine made) : engine(std::move(made)) {}

    void go_on() {
        if (!open && !error) {
            const result<tls_step> step = engine.handshake();
            error = step ? std::error_code() : step.error();
            open = step == tls_step::done;
        }
        while (open && !error && !ended) {
            std::byte buffer[1'000];
            const result<tls_transfer> step = engine.read(buffer);
            if (!step) {
                error = step.error();
            } else if (step->step == tls_step::needs_input) {
                return;
            } else {
                ended = step->bytes == 0;
                received += text_of(std::span(buffer, step->bytes));
            }
        }
    }

    void take(std::span<const std::byte> wire, std::size_t fragment) {
        while (!wire.empty() && !error && !ended) {
            const std::span<std::byte> space = engine.input_space();
            const std::size_t size = std::min({wire.size(), space.size(), fragment});
            std::copy_n(wire.begin(), size, space.begin());
            engine.add_input(size);
            wire = wire.subspan(size);
            go_on();
        }
    }

    tls_engine engine;
    bool open = false;
    bool ended = false;  // by close_notify
    std::error_code error;
    std::string received;
};

[[nodiscard]] inline endpoint make_client(const tls_options& options = client_options(),
                                          std::string_view name = "example.org") {
    result<tls_engine> made = tls_engine::make_client(tls_context(options), name);
    if (!made) {
        throw std::system_error(made.error());
    }
    return endpoint(std::move(*made));
}

[[nodiscard]] inline endpoint make_server(const tls_options& options = server_options()) {
    return endpoint(tls_engine::make_server(tls_context(options)));
}

// Moves bytes both ways until both are silent.
inline void exchange(endpoint& one, endpoint& other, std::size_t fragment = unbroken) {
    one.go_on();
    other.go_on();
    while (one.engine.output_size() + other.engine.output_size() != 0) {
        other.take(one.engine.take_output(), fragment);
        one.take(other.engine.take_output(), fragment);
    }
}

// OpenSSL with its own memory BIOs. It verifies nothing.
class raw_peer {
  public:
    explicit raw_peer(tls_role role, int version = TLS1_3_VERSION)
        : context_(SSL_CTX_new(TLS_method())), ssl_(nullptr) {
        SSL_CTX_set_max_proto_version(context_.get(), version);
        if (role == tls_role::server) {
            use(server_identity());
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        if (role == tls_role::server) {
            SSL_set_accept_state(ssl_.get());
        } else {
            SSL_set_connect_state(ssl_.get());
        }
    }

    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }

    [[nodiscard]] bytes take_output() const {
        bytes output(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())));
        if (!output.empty()) {
            BIO_read(SSL_get_wbio(ssl_.get()), output.data(), static_cast<int>(output.size()));
        }
        return output;
    }

    // Takes it, and reads what can be read.
    void take(const bytes& wire) {
        if (!wire.empty()) {
            BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
        }
        if (SSL_is_init_finished(ssl_.get()) == 0 && SSL_do_handshake(ssl_.get()) != 1) {
            return;
        }
        char buffer[1'000];
        std::size_t size = 0;
        while (SSL_read_ex(ssl_.get(), buffer, sizeof(buffer), &size) == 1) {
            received.append(buffer, size);
        }
    }

    void write(std::string_view text) const {
        std::size_t size = 0;
        if (SSL_write_ex(ssl_.get(), text.data(), text.size(), &size) != 1) {
            throw std::runtime_error("SSL_write_ex");
        }
    }

    std::string received;

  private:
    void use(const identity& own) const {
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> certificate(
            BIO_new_mem_buf(own.certificate.data(), -1), &BIO_free_all);
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> key(BIO_new_mem_buf(own.key.data(), -1),
                                                                &BIO_free_all);
        const std::unique_ptr<X509, decltype(&X509_free)> read_certificate(
            PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr), &X509_free);
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> read_key(
            PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
        SSL_CTX_use_certificate(context_.get(), read_certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), read_key.get());
    }

    struct free_context {
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };
    struct free_ssl {
        void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    };
    std::unique_ptr<SSL_CTX, free_context> context_;
    std::unique_ptr<SSL, free_ssl> ssl_;
};

// The same between an engine and OpenSSL.
inline void exchange(endpoint& ours, raw_peer& other, std::size_t fragment = unbroken) {
    ours.go_on();
    other.take({});
    for (bytes wire; ours.engine.output_size() != 0 || !(wire = other.take_output()).empty();) {
        ours.take(wire, fragment);
        other.take(ours.engine.take_output());
    }
}

}  // namespace weir::test
