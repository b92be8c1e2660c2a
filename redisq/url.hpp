// server_url: where a Redis server is, and as whom to speak to it, from one line of text.
//
//     auto server = weir::redisq::server_url::parse("redis://worker:s%40fe@cache.example:6380/2");
//     report(server ? server->to_string() : server.error().message());
//
//   redis://[USER:PASSWORD@]HOST[:PORT][/DB]    TCP; port 6379, database 0 by default
//   rediss://...                                the same over TLS, verified
//   unix://[USER:PASSWORD@]/PATH                a Unix socket; its database by ?db=N
//   redis+sentinel://HOST[:PORT]/MASTER[/DB]    asks sentinels; port 26379 by default
//   rediss+sentinel://...                       the same over TLS, sentinels and servers
//   embedded://                                 a private server, started by the program
//
// USER and PASSWORD, which may stand before the hosts of redis+sentinel:// too, are the servers'.
// HOST is a name, an IPv4 address or an IPv6 address in brackets, with a zone where it needs one
// ([fe80::1%25eth0]). Several hosts, separated by commas, are the first nodes of a cluster, or
// sentinels. `:PASSWORD@` is the password of the user "default". In user, password, path, master
// and parameters %XX stands for any byte; `@`, `/`, `?`, `#`, `%` and a `:` in a user have to be
// written so.
//
// Parameters (?NAME=VALUE&NAME=VALUE), each at most once: db, client_name, protocol,
// connect_timeout, command_timeout, tls_authorities, tls_certificate, tls_key, tls_server_name;
// client_options says what they mean.
//
// Errors: errc::bad_url, whose text names the part and what is allowed. It never shows user,
// password or anything that might be one because a character was not escaped.
// Source: RFC 3986; https://www.iana.org/assignments/uri-schemes/prov/redis.
// Thread: any; a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.hpp"

namespace weir::redisq {

enum class transport : std::uint8_t { tcp, tls, unix_socket, embedded };

struct server_host {
    server_host() = default;
    server_host(std::string host, std::uint16_t at) : name(std::move(host)), port(at) {}

    // A name, or an address without brackets.
    std::string name = "localhost";
    std::uint16_t port = 6379;

    // "name:port", an IPv6 address in brackets.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const server_host&, const server_host&) = default;
};

struct server_url {
    static constexpr std::uint32_t database_max = 2'147'483'647;
    // Bytes of a text, and hosts in it.
    static constexpr std::size_t size_max = 8'192;
    static constexpr std::size_t hosts_max = 64;

    // redis://localhost:6379/0
    server_url() = default;

    [[nodiscard]] static result<server_url> parse(std::string_view text);

    transport over = transport::tcp;
    std::vector<server_host> hosts = {server_host()};  // empty for unix_socket and embedded
    std::string path;                                  // of a Unix socket
    std::string user;                                  // empty: "default"
    std::optional<std::string> password;               // none: no AUTH
    std::uint32_t database = 0;
    std::string master;  // what the sentinels call it; empty: the hosts are servers

    // Names and values other than db, in their order; the names are known and not repeated.
    std::vector<std::pair<std::string, std::string>> parameters;

    // Without user, password and parameters.
    [[nodiscard]] std::string to_string() const;
};

}  // namespace weir::redisq
