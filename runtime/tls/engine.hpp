// tls_engine: the TLS protocol of one connection, without any I/O.
//
//     auto client = weir::tls_engine::make_client(context, "example.org");
//     auto step = client->handshake();
//     while (step && *step == weir::tls_step::needs_input) {
//         send(client->take_output());
//         client->add_input(receive(client->input_space()));
//         step = client->handshake();
//     }
//
// Bytes of the wire go in by input_space() and add_input(), and come out by take_output(); plain
// bytes go in by write() and come out by read(). Any call may make output, whatever it returns (a
// failed one an alert that tells the peer why); who sends it, and when, is the caller's. tls_stream
// does it over any byte_stream.
//
// States, and what moves them:
//   handshaking  -> open by handshake(), which has then verified the peer as its context demands
//   open         reads and writes; answers to what the peer sends in between (a new key) wait in
//                the output until the next write, as RFC 8446, section 4.6.3, allows
//   finished     each direction by itself: writing by finish(), reading by the peer's close_notify
//   failed       by an error of the protocol; every later call returns the same error
//
// Limits: one input of input_max bytes and one record are held; output is what the calls since the
// last take_output() made, at most write_max plain bytes a call.
// Errors: tls_errc, see errors.hpp. std::bad_alloc from make_client and make_server.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../result.hpp"
#include "context.hpp"

namespace weir {

namespace detail {
struct tls_engine_state;
}

// Whether a call has done its work, or needs more bytes from the peer first.
enum class tls_step : std::uint8_t { done, needs_input };

struct tls_transfer {
    std::size_t bytes = 0;
    tls_step step = tls_step::done;
};

class tls_engine {
  public:
    // A record with its header and the most that encryption adds (RFC 5246, section 6.2.3).
    static constexpr std::size_t input_max = 5 + 16'384 + 2'048;
    // What one write() takes: four full records.
    static constexpr std::size_t write_max = std::size_t{4} * 16'384;

    // `server_name` is a host name (a trailing dot is ignored) or an IP address; it is verified
    // against the certificate, and a host name is sent to the server (SNI). tls_errc::
    // invalid_server_name where it is neither; it may be empty where the context verifies nothing.
    // Requires a context whose role is client.
    [[nodiscard]] static result<tls_engine> make_client(const tls_context& context,
                                                        std::string_view server_name);
    // Requires a context whose role is server.
    [[nodiscard]] static tls_engine make_server(const tls_context& context);

    tls_engine(tls_engine&& other) noexcept;
    tls_engine& operator=(tls_engine&& other) noexcept;
    ~tls_engine();

    // Where the next bytes of the wire belong: input_max bytes when a call has just returned
    // needs_input. Valid until add_input(); other calls leave it alone.
    [[nodiscard]] std::span<std::byte> input_space() noexcept;
    // The first `size` bytes of input_space() have come; 1 or more.
    void add_input(std::size_t size) noexcept;
    // The stream below has ended: nothing more comes.
    void end_input() noexcept;
    // How often input came, its end included: tells whether somebody else has brought some.
    [[nodiscard]] std::uint64_t inputs() const noexcept;

    // Bytes that are to be sent.
    [[nodiscard]] std::size_t output_size() const noexcept;
    // Hands them over, in the memory that they were collected in.
    [[nodiscard]] std::vector<std::byte> take_output() noexcept;

    [[nodiscard]] result<tls_step> handshake();

    // Whether the peer goes on without the output of a handshake that is done, so that it may leave
    // with the first write: a server's session tickets in TLS 1.3.
    [[nodiscard]] bool output_can_wait() const noexcept;

    // Requires that the handshake is done, as do write and finish. 0 bytes and done: the peer has
    // finished writing, or `into` is empty. tls_errc::truncated where input ended without that.
    [[nodiscard]] result<tls_transfer> read(std::span<std::byte> into);

    // Takes up to write_max bytes; fewer, and needs_input, while a message of the handshake's kind
    // is half received. After finish(): std::errc::broken_pipe.
    [[nodiscard]] result<tls_transfer> write(std::span<const std::byte> from);

    // Ends writing (close_notify). Idempotent.
    [[nodiscard]] result<tls_step> finish();

    // "TLSv1.2" or "TLSv1.3". As what follows: after the handshake.
    [[nodiscard]] std::string_view protocol() const noexcept;
    // The protocol that ALPN chose; empty when none. Valid while the engine lives.
    [[nodiscard]] std::string_view alpn() const noexcept;
    // The name in the peer's certificate (RFC 2253, "CN=example.org"); empty without a certificate.
    [[nodiscard]] std::string peer_certificate_subject() const;

  private:
    explicit tls_engine(const tls_context& context);

    std::unique_ptr<detail::tls_engine_state> state_;
};

}  // namespace weir
