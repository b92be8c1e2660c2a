#include "options.hpp"

#include <algorithm>
#include <expected>
#include <optional>
#include <stdexcept>
#include <utility>

#include "../runtime/tls/context.hpp"
#include "detail/duration_text.hpp"
#include "detail/tls_support.hpp"
#include "detail/url_text.hpp"

namespace weir::redisq {
namespace {

using detail::duration_text;
using detail::printable;

std::unexpected<error> refused(std::string_view option, const std::string& value,
                               const std::string& allowed) {
    return std::unexpected(error(errc::bad_option, "client_options::" + std::string(option) +
                                                       " is " + value + "; allowed: " + allowed));
}

result<void> check_length(std::string_view option, duration value, duration least, duration most) {
    if (value < least || value > most) {
        return refused(option, duration_text(value),
                       duration_text(least) + " to " + duration_text(most));
    }
    return {};
}

result<void> check_count(std::string_view option, std::size_t value, std::size_t least,
                         std::size_t most) {
    if (value < least || value > most) {
        return refused(option, std::to_string(value),
                       std::to_string(least) + " to " + std::to_string(most));
    }
    return {};
}

// CLIENT SETNAME refuses what is not.
bool is_client_name(std::string_view name) {
    return name.size() <= 128 &&
           std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

duration length_of(const std::string& name, const std::string& value) {
    const std::optional<duration> length = detail::parse_duration(value);
    if (!length) {
        throw std::invalid_argument("URL of a Redis server: parameter '" + name + "' is '" +
                                    printable(value) +
                                    "'; allowed: " + std::string(detail::duration_text_allowed));
    }
    return *length;
}

// tls_... of a URL.
void apply_tls(client_options& options, tls_options& tls, const std::string& name,
               const std::string& value) {
    if (options.server.over != transport::tls) {
        throw std::invalid_argument("URL of a Redis server: parameter '" + name +
                                    "' stands without TLS; allowed: in rediss://");
    }
    if (name == "tls_authorities") {
        tls.authorities = tls_pem::file(value);
    } else if (name == "tls_certificate") {
        tls.certificate_chain = tls_pem::file(value);
    } else if (name == "tls_key") {
        tls.private_key = tls_pem::file(value);
    } else {
        options.tls_server_name = value;
    }
    options.tls = std::make_shared<const tls_options>(tls);
}

void apply_parameters(client_options& options) {
    tls_options tls;
    for (const auto& [name, value] : options.server.parameters) {
        if (name == "client_name") {
            options.client_name = value;
        } else if (name == "protocol") {
            if (value != "2" && value != "3") {
                throw std::invalid_argument("URL of a Redis server: parameter 'protocol' is '" +
                                            printable(value) + "'; allowed: 2 or 3");
            }
            options.protocol = value == "2" ? 2 : 3;
        } else if (name == "connect_timeout") {
            options.connect_timeout = length_of(name, value);
        } else if (name == "command_timeout") {
            options.command_timeout = length_of(name, value);
        } else {
            apply_tls(options, tls, name, value);
        }
    }
}

server_url url_of(std::string_view text) {
    result<server_url> made = server_url::parse(text);
    if (!made) {
        throw std::invalid_argument(made.error().message());
    }
    return std::move(*made);
}

result<void> check_tls(const client_options& options) {
    if (options.server.over != transport::tls) {
        if (options.tls != nullptr || !options.tls_server_name.empty()) {
            return refused("tls", "given for " + options.server.to_string(),
                           "with rediss:// alone, so that nobody takes plain text for TLS");
        }
        return {};
    }
    if (!detail::tls_supported()) {
        return std::unexpected(error(
            errc::unsupported, options.server.to_string() +
                                   " needs TLS, which this weir was built without; build it where "
                                   "OpenSSL 3 is installed (Debian: libssl-dev)"));
    }
    if (options.tls != nullptr && options.tls->role != tls_role::client) {
        return refused("tls", "for the role of a server", "tls_role::client");
    }
    return {};
}

// A URL that was put together by hand instead of parsed.
result<void> check_server(const server_url& server) {
    const bool by_host = server.over == transport::tcp || server.over == transport::tls;
    if (by_host && server.hosts.empty()) {
        return refused("server", "without a host", "1 host or more");
    }
    for (const server_host& host : server.hosts) {
        if (by_host && (host.name.empty() || host.port == 0)) {
            return refused("server", detail::quoted(host.to_string()),
                           "a name and a port from 1 to 65535");
        }
    }
    if (server.over == transport::unix_socket && server.path.empty()) {
        return refused("server", "a Unix socket without a path", "a path");
    }
    return {};
}

result<void> check_limits(const resp::limits& limits) {
    try {
        limits.check();
        return {};
    } catch (const std::invalid_argument& thrown) {
        return std::unexpected(
            error(errc::bad_option, "client_options::" + std::string(thrown.what())));
    }
}

result<void> check_times(const client_options& options) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    result<void> sound =
        check_length("connect_timeout", options.connect_timeout, milliseconds(1), hours(24));
    if (sound) {
        sound =
            check_length("command_timeout", options.command_timeout, duration::zero(), hours(24));
    }
    if (sound) {
        sound = check_length("idle_timeout", options.idle_timeout, duration::zero(), hours(720));
    }
    if (sound) {
        sound = check_length("reconnect.first", options.reconnect.first, milliseconds(1), hours(1));
    }
    if (sound) {
        sound = check_length("reconnect.longest", options.reconnect.longest,
                             options.reconnect.first, hours(1));
    }
    return sound;
}

}  // namespace

duration backoff::delay(unsigned attempt, std::uint64_t random) const noexcept {
    duration ceiling = first;
    for (; attempt > 0 && ceiling < longest; --attempt) {
        ceiling = ceiling > longest / 2 ? longest : ceiling * 2;
    }
    ceiling = std::min(ceiling, longest);
    // `random` as a fraction of 2^64.
    const auto scaled =
        (static_cast<unsigned __int128>(random) * static_cast<std::uint64_t>(ceiling.count())) >>
        64U;
    return duration(static_cast<std::int64_t>(scaled) + 1);
}

client_options::client_options(std::string_view url) : server(url_of(url)) {
    apply_parameters(*this);
}

result<void> client_options::check() const {
    if (!is_client_name(client_name)) {
        return refused("client_name", detail::quoted(client_name),
                       "printable ASCII without blanks, at most 128 bytes");
    }
    if (protocol != 2 && protocol != 3) {
        return refused("protocol", std::to_string(protocol), "2 or 3");
    }
    result<void> sound = check_server(server);
    if (sound) {
        sound = check_times(*this);
    }
    if (sound) {
        sound = check_count("max_pending", max_pending, 1, std::size_t{1} << 24U);
    }
    if (sound) {
        sound = check_count("max_pending_bytes", max_pending_bytes, 1'024, std::size_t{16} << 30U);
    }
    if (sound) {
        sound = check_limits(limits);
    }
    return sound ? check_tls(*this) : sound;
}

void client_options::require_sound() const {
    if (const result<void> sound = check(); !sound) {
        throw std::invalid_argument(sound.error().message());
    }
}

}  // namespace weir::redisq
