#include "engine.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <new>
#include <utility>

#include "../assert.hpp"
#include "detail/memory_bio.hpp"
#include "detail/server_name.hpp"
#include "errors.hpp"

namespace weir {

namespace {

std::error_code broken_pipe() noexcept { return std::make_error_code(std::errc::broken_pipe); }

}  // namespace

namespace detail {

// OpenSSL's object comes last: it is freed before what its BIOs point to.
struct tls_engine_state {
    explicit tls_engine_state(const tls_context& shared)
        : context(shared), input(tls_engine::input_max), ssl(SSL_new(shared.state().ssl.get())) {
        bio_owner reading = make_reading_bio(input);
        bio_owner writing = make_writing_bio(output);
        if (ssl == nullptr || reading == nullptr || writing == nullptr) {
            throw std::bad_alloc();
        }
        SSL_set_bio(ssl.get(), reading.release(), writing.release());
        if (shared.role() == tls_role::client) {
            SSL_set_connect_state(ssl.get());
        } else {
            SSL_set_accept_state(ssl.get());
        }
    }

    // What an error that stands in OpenSSL's queue means; empties the queue.
    [[nodiscard]] std::error_code take_error() const noexcept;

    // What a call that did not succeed stopped at: needs_input, the peer's close_notify (done), or
    // an error.
    [[nodiscard]] result<tls_step> stopped_at(int outcome) noexcept;

    // The same for calls that the peer's close_notify is no good end of.
    [[nodiscard]] result<tls_step> stopped_at(int outcome, std::error_code when_closed) noexcept;

    tls_context context;
    wire_input input;
    std::vector<std::byte> output;
    std::uint64_t inputs = 0;
    std::error_code failure;
    bool input_ended = false;
    bool open = false;
    bool finished = false;
    ssl_owner ssl;
};

std::error_code tls_engine_state::take_error() const noexcept {
    // Libraries below SSL report first, and SSL says what that means for the connection.
    std::error_code found = make_error_code(tls_errc::protocol_error);
    while (const unsigned long code = ERR_get_error()) {
        const int reason = ERR_GET_REASON(code);
        if (reason == ERR_R_MALLOC_FAILURE) {
            found = std::make_error_code(std::errc::not_enough_memory);
            break;
        }
        if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
            continue;
        }
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
            const int why = static_cast<int>(SSL_get_verify_result(ssl.get()));
            found = {certificate_errors + why, tls_category()};
        } else {
            found = {protocol_errors + reason, tls_category()};
        }
        break;
    }
    ERR_clear_error();
    return found;
}

result<tls_step> tls_engine_state::stopped_at(int outcome) noexcept {
    switch (SSL_get_error(ssl.get(), outcome)) {
        case SSL_ERROR_WANT_READ:
            if (input_ended) {
                return std::unexpected(
                    make_error_code(open ? tls_errc::truncated : tls_errc::closed_in_handshake));
            }
            return tls_step::needs_input;
        case SSL_ERROR_ZERO_RETURN:
            return tls_step::done;
        case SSL_ERROR_SYSCALL:
            // The BIOs make no system calls: the writing one had no memory.
            ERR_clear_error();
            failure = std::make_error_code(std::errc::not_enough_memory);
            return std::unexpected(failure);
        default:
            failure = take_error();
            return std::unexpected(failure);
    }
}

result<tls_step> tls_engine_state::stopped_at(int outcome, std::error_code when_closed) noexcept {
    const result<tls_step> stopped = stopped_at(outcome);
    if (stopped == tls_step::done) {
        failure = when_closed;
        return std::unexpected(failure);
    }
    return stopped;
}

}  // namespace detail

tls_engine::tls_engine(const tls_context& context)
    : state_(std::make_unique<detail::tls_engine_state>(context)) {}

tls_engine::tls_engine(tls_engine&& other) noexcept = default;
tls_engine& tls_engine::operator=(tls_engine&& other) noexcept = default;
tls_engine::~tls_engine() = default;

result<tls_engine> tls_engine::make_client(const tls_context& context,
                                           std::string_view server_name) {
    WEIR_ASSERT(context.role() == tls_role::client, "a client's engine needs a client's context");
    tls_engine engine(context);
    const bool verified = context.state().verifies_server;
    if (!detail::set_server_name(*engine.state_->ssl, server_name, verified)) {
        return std::unexpected(make_error_code(tls_errc::invalid_server_name));
    }
    return engine;
}

tls_engine tls_engine::make_server(const tls_context& context) {
    WEIR_ASSERT(context.role() == tls_role::server, "a server's engine needs a server's context");
    return tls_engine(context);
}

std::span<std::byte> tls_engine::input_space() noexcept { return state_->input.space(); }

void tls_engine::add_input(std::size_t size) noexcept {
    detail::wire_input& input = state_->input;
    WEIR_ASSERT(size != 0 && size <= input.size - input.end && !state_->input_ended,
                "input fits into input_space(), and comes before its end");
    // Handshakes and alerts are all that a TLS peer begins with (RFC 8446, section 5.1).
    constexpr std::byte alert{21};
    constexpr std::byte handshake{22};
    const std::byte first = input.memory[0];
    if (state_->inputs++ == 0 && first != alert && first != handshake) {
        state_->failure = make_error_code(tls_errc::not_tls);
    }
    input.end += size;
}

void tls_engine::end_input() noexcept {
    state_->input_ended = true;
    ++state_->inputs;
}

std::uint64_t tls_engine::inputs() const noexcept { return state_->inputs; }

std::size_t tls_engine::output_size() const noexcept { return state_->output.size(); }

std::vector<std::byte> tls_engine::take_output() noexcept {
    return std::exchange(state_->output, std::vector<std::byte>());
}

result<tls_step> tls_engine::handshake() {
    if (state_->failure) {
        return std::unexpected(state_->failure);
    }
    ERR_clear_error();
    const int outcome = SSL_do_handshake(state_->ssl.get());
    if (outcome == 1) {
        state_->open = true;
        return tls_step::done;
    }
    return state_->stopped_at(outcome, make_error_code(tls_errc::closed_in_handshake));
}

bool tls_engine::output_can_wait() const noexcept {
    const SSL* const ssl = state_->ssl.get();
    return state_->open && SSL_is_server(ssl) != 0 && SSL_version(ssl) >= TLS1_3_VERSION;
}

result<tls_transfer> tls_engine::read(std::span<std::byte> into) {
    WEIR_ASSERT(state_->open, "reading begins after the handshake");
    if (state_->failure) {
        return std::unexpected(state_->failure);
    }
    tls_transfer done;
    if (into.empty()) {
        return done;
    }
    ERR_clear_error();
    const int outcome = SSL_read_ex(state_->ssl.get(), into.data(), into.size(), &done.bytes);
    if (outcome == 1) {
        return done;
    }
    const result<tls_step> stopped = state_->stopped_at(outcome);
    if (!stopped) {
        return std::unexpected(stopped.error());
    }
    done.step = *stopped;
    return done;
}

result<tls_transfer> tls_engine::write(std::span<const std::byte> from) {
    WEIR_ASSERT(state_->open, "writing begins after the handshake");
    if (state_->failure) {
        return std::unexpected(state_->failure);
    }
    if (state_->finished) {
        return std::unexpected(broken_pipe());
    }
    tls_transfer done;
    from = from.first(std::min(from.size(), write_max));
    while (done.bytes < from.size()) {
        std::size_t taken = 0;
        ERR_clear_error();
        const int outcome = SSL_write_ex(state_->ssl.get(), from.data() + done.bytes,
                                         from.size() - done.bytes, &taken);
        if (outcome != 1) {
            const result<tls_step> stopped = state_->stopped_at(outcome, broken_pipe());
            if (!stopped) {
                return std::unexpected(stopped.error());
            }
            done.step = *stopped;
            return done;
        }
        done.bytes += taken;
    }
    return done;
}

result<tls_step> tls_engine::finish() {
    WEIR_ASSERT(state_->open, "writing ends after the handshake");
    if (state_->failure) {
        return std::unexpected(state_->failure);
    }
    if (state_->finished) {
        return tls_step::done;
    }
    ERR_clear_error();
    if (SSL_in_init(state_->ssl.get()) != 0) {
        // A message of the handshake's kind is half received, and OpenSSL sends nothing before it
        // has all of it.
        const int outcome = SSL_do_handshake(state_->ssl.get());
        if (outcome != 1) {
            return state_->stopped_at(outcome, broken_pipe());
        }
    }
    // 0: sent, and the peer's has not come; 1: both.
    const int outcome = SSL_shutdown(state_->ssl.get());
    if (outcome < 0) {
        return state_->stopped_at(outcome, broken_pipe());
    }
    state_->finished = true;
    return tls_step::done;
}

std::string_view tls_engine::protocol() const noexcept {
    return SSL_get_version(state_->ssl.get());
}

std::string_view tls_engine::alpn() const noexcept {
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(state_->ssl.get(), &chosen, &size);
    return {reinterpret_cast<const char*>(chosen), size};
}

std::string tls_engine::peer_certificate_subject() const {
    const X509* const certificate = SSL_get0_peer_certificate(state_->ssl.get());
    return certificate != nullptr ? detail::subject_of(*certificate) : std::string();
}

}  // namespace weir
