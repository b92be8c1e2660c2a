// client_options: which server, as whom, how long to wait, how much may wait.
//
//     weir::redisq::client_options options("rediss://worker:s%40fe@cache.example/2");
//     options.client_name = "thumbnails";
//     options.command_timeout = 2s;
//     if (const auto sound = options.check(); !sound) { report(sound.error().message()); }
//
// A URL's parameters set the options of the same name: client_name, protocol (2 or 3),
// connect_timeout and command_timeout (a number and a unit: 250ms, 5s, 2m, 1h), and of TLS the PEM
// files tls_authorities, tls_certificate and tls_key, and tls_server_name.
//
// Errors: the constructor from a text throws std::invalid_argument; so does whoever is given
// options that check() refuses. The text names option, value and range, and never a password.
// Thread: any; a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../runtime/clock.hpp"
#include "errors.hpp"
#include "resp/limits.hpp"
#include "url.hpp"

namespace weir {
struct tls_options;  // <weir/tls.hpp>
}

namespace weir::redisq {

// How long to wait before trying again, with full jitter: somewhere between nothing and a ceiling
// that doubles with each attempt, so that clients which lost their server together do not come back
// together. `longest` bounds how late a client notices that its server is back.
struct backoff {
    duration first = std::chrono::milliseconds(50);
    duration longest = std::chrono::milliseconds(500);

    // For attempt 0, 1, 2 and so on, and 64 random bits: above zero, at most the ceiling.
    [[nodiscard]] duration delay(unsigned attempt, std::uint64_t random) const noexcept;
};

// Whom a connection is to reach; any other server is refused with errc::wrong_role.
enum class server_role : std::uint8_t { any, master, replica };

struct client_options {
    // redis://localhost:6379/0
    client_options() = default;
    // Throws std::invalid_argument where the text or one of its parameters is wrong.
    explicit client_options(std::string_view url);
    // `where`'s parameters are not applied.
    explicit client_options(server_url where) : server(std::move(where)) {}

    server_url server;

    // What CLIENT LIST shows; printable ASCII without blanks, at most 128 bytes. Empty: none.
    std::string client_name;

    // 3, or 2 where the server knows no other; 2 asks for nothing else.
    int protocol = 3;

    server_role role = server_role::any;

    // For name, connection, TLS and greeting together; above zero, at most a day.
    duration connect_timeout = std::chrono::seconds(5);
    // From the call to the reply; zero: no limit. At most a day.
    duration command_timeout = std::chrono::seconds(10);
    // A connection that nobody has used for so long is closed, and made again for the next command;
    // zero: never. At most 30 days.
    duration idle_timeout = duration::zero();

    // Commands that wait for a connection or a reply, 1 to 16,777,216, and their bytes that are not
    // sent yet, 1 KiB to 16 GiB; beyond, the next caller waits.
    std::size_t max_pending = 65'536;
    std::size_t max_pending_bytes = std::size_t{64} << 20U;

    // Of a reply.
    resp::limits limits;

    // Of new attempts to connect; first from 1 ms, longest from first to an hour.
    backoff reconnect;
    // So many attempts without success, and who waits fails with errc::connect_failed; 0: nobody
    // fails before the time of the command is up.
    unsigned connect_attempts = 0;

    // For redis+sentinel://: as whom to speak to the sentinels; the URL's user and password are for
    // the servers.
    std::string sentinel_user;
    std::optional<std::string> sentinel_password;

    // For rediss://: whom to trust, and the own certificate (<weir/tls.hpp>). Not given: the
    // system's authorities.
    std::shared_ptr<const tls_options> tls;
    // The name that the server's certificate has to hold; empty: that of the host.
    std::string tls_server_name;

    // errc::bad_option, or errc::unsupported for rediss:// in a build without TLS.
    [[nodiscard]] result<void> check() const;

    // Throws std::invalid_argument with the text of check().
    void require_sound() const;
};

}  // namespace weir::redisq
