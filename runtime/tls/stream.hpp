// tls_stream: TLS over any byte_stream, client or server; a byte_stream itself.
//
//     template <weir::byte_stream Lower>
//     weir::task<weir::result<void>> greet(Lower lower, weir::tls_context context) {
//         using tls = weir::tls_stream<Lower>;
//         auto peer = co_await tls::connect(std::move(lower), context, "example.org");
//         if (!peer) { co_return std::unexpected(peer.error()); }
//         auto sent = co_await peer->write_all(std::as_bytes(std::span("hello", 5)));
//         if (!sent) { co_return sent; }
//         co_return co_await peer->finish_writing();   // or the peer takes the end for an attack
//     }
//
// connect() and accept() return when the peer was verified as the context demands; the first lets
// no byte through to a server that is not `server_name`. A server may refuse a TLS 1.3 client after
// the client's connect() has returned: its first read then gives the alert.
//
// finish_writing sends close_notify and leaves the other direction open. A read that meets the end
// of the stream below without the peer's close_notify gives tls_errc::truncated. close() closes the
// stream below at once, so call finish_writing first.
//
// One task reads while another writes. Reading never waits for a write: what the protocol has to
// answer while the peer talks (a new key), and a server's session tickets, are sent with the next
// write, as RFC 8446 allows, unless they grow beyond 4 KiB. A write may have to read: the half of a
// handshake message that is still missing.
//
// Stopped, a read loses no byte: what came stays for the next. A write that was stopped may have
// sent a part; when it was stopped inside the stream below, later writes give
// tls_errc::write_interrupted, because the peer would take what follows for a forgery.
//
// Errors: those of the stream below; tls_errc, see errors.hpp. std::bad_alloc is thrown.
// Memory: about 19 KB a connection beside OpenSSL's own, and up to 64 KB while a write runs.
// Lifetime: as every byte_stream: neither destroyed, moved nor closed while an await runs.
// Thread: one loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../mutex.hpp"
#include "../net/stream.hpp"
#include "../result.hpp"
#include "../task.hpp"
#include "../this_task.hpp"
#include "engine.hpp"
#include "errors.hpp"

namespace weir {

namespace detail {

// What byte I/O gives where it was stopped.
[[nodiscard]] inline std::error_code tls_canceled() noexcept {
    return std::make_error_code(std::errc::operation_canceled);
}

// Takes the lock; gives operation_canceled where mutex::lock throws.
inline task<result<mutex::guard>> tls_lock(mutex& m) {
    try {
        co_return co_await m.lock();
    } catch (const canceled&) {
        co_return std::unexpected(tls_canceled());
    }
}

}  // namespace detail

template <byte_stream Lower>
class [[nodiscard]] tls_stream {
  public:
    // Makes a client's connection over `lower`, which is destroyed where that fails. `server_name`
    // is a host name or an IP address, see tls_engine::make_client. Requires a client's context.
    static task<result<tls_stream>> connect(Lower lower, tls_context context,
                                            std::string server_name) {
        result<tls_engine> engine = tls_engine::make_client(context, server_name);
        if (!engine) {
            co_return std::unexpected(engine.error());
        }
        auto parts = std::make_unique<core>(std::move(lower), std::move(*engine));
        const result<void> open = co_await parts->shake_hands();
        if (!open) {
            co_return std::unexpected(open.error());
        }
        co_return tls_stream(std::move(parts));
    }

    // Takes a server's connection over `lower`, which is destroyed where that fails. Requires a
    // server's context.
    static task<result<tls_stream>> accept(Lower lower, tls_context context) {
        auto parts = std::make_unique<core>(std::move(lower), tls_engine::make_server(context));
        const result<void> open = co_await parts->shake_hands();
        if (!open) {
            co_return std::unexpected(open.error());
        }
        co_return tls_stream(std::move(parts));
    }

    // At least one byte, or 0 when the peer has finished writing (or `into` is empty).
    // ref: the caller awaits at once, and the span lives until then.
    task<result<std::size_t>> read_some(std::span<std::byte> into) { return parts_->read(into); }

    // ref: as read_some.
    task<result<void>> write_all(std::span<const std::byte> from) { return parts_->write(from); }

    // Sends close_notify. Later writes give std::errc::broken_pipe. Idempotent.
    task<result<void>> finish_writing() { return parts_->finish(); }

    // Closes the stream below.
    auto close() { return parts_->lower.close(); }

    // "TLSv1.2" or "TLSv1.3".
    [[nodiscard]] std::string_view protocol() const noexcept { return parts_->engine.protocol(); }
    // What ALPN chose; empty when nothing. Valid while the stream lives.
    [[nodiscard]] std::string_view alpn() const noexcept { return parts_->engine.alpn(); }
    // As "CN=example.org" (RFC 2253); empty where the peer sent no certificate.
    [[nodiscard]] std::string peer_certificate_subject() const {
        return parts_->engine.peer_certificate_subject();
    }

    // The stream below, for its options and addresses; bytes go through this one.
    [[nodiscard]] Lower& lower() noexcept { return parts_->lower; }

  private:
    // Stands still while tasks use it; they are below the awaits of whoever owns it.
    struct core {
        core(Lower below, tls_engine protocol)
            : lower(std::move(below)), engine(std::move(protocol)) {}

        task<result<void>> shake_hands();
        // ref: as read_some.
        task<result<std::size_t>> read(std::span<std::byte> into);
        // ref: as read_some.
        task<result<void>> write(std::span<const std::byte> from);
        task<result<void>> finish();
        task<result<void>> send_output();
        task<result<void>> send_deferred();
        task<result<void>> receive(std::uint64_t seen);

        Lower lower;
        tls_engine engine;
        mutex reading;                // held by whoever reads `lower`
        mutex writing;                // held by whoever writes it; taken before `reading`
        std::error_code write_error;  // `lower` takes no more
    };

    // Answers that may wait for the next write; see the top of this file.
    static constexpr std::size_t deferred_max = 4'096;

    explicit tls_stream(std::unique_ptr<core> parts) noexcept : parts_(std::move(parts)) {}

    std::unique_ptr<core> parts_;
};

}  // namespace weir

#include "detail/stream_impl.hpp"
