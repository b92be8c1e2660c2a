#include "url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>

#include "../runtime/net/address.hpp"
#include "detail/url_text.hpp"

namespace weir::redisq {
namespace {

using detail::bad_url;
using detail::printable;

constexpr std::array parameter_names = {
    std::string_view("db"),
    std::string_view("client_name"),
    std::string_view("protocol"),
    std::string_view("connect_timeout"),
    std::string_view("command_timeout"),
    std::string_view("tls_authorities"),
    std::string_view("tls_certificate"),
    std::string_view("tls_key"),
    std::string_view("tls_server_name"),
};

struct scheme {
    std::string_view name;
    transport over;
    bool sentinel;
};

constexpr std::array schemes = {
    scheme{"redis", transport::tcp, false},          scheme{"rediss", transport::tls, false},
    scheme{"unix", transport::unix_socket, false},   scheme{"redis+sentinel", transport::tcp, true},
    scheme{"rediss+sentinel", transport::tls, true}, scheme{"embedded", transport::embedded, false},
};

constexpr std::string_view schemes_allowed =
    "allowed: redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://, embedded://";

// The text, cut at the delimiters of RFC 3986; nothing is decoded yet.
struct pieces {
    std::string_view user_info;
    bool has_user_info = false;
    std::string_view authority;  // what follows the '@'
    std::string_view path;       // with its '/'
    std::string_view query;      // without its '?'
};

result<scheme> read_scheme(std::string_view& text) {
    const std::size_t end = text.find("://");
    if (end == std::string_view::npos) {
        // Not shown: it may be a password that stands where the address belongs.
        return bad_url("scheme is missing; " + std::string(schemes_allowed));
    }
    std::string name(text.substr(0, end));
    for (char& letter : name) {
        letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
    const auto* const found = std::ranges::find(schemes, std::string_view(name), &scheme::name);
    if (found == schemes.end()) {
        const bool tame = name.find_first_of(":@/") == std::string::npos;
        return bad_url("scheme " + (tame ? "'" + printable(name) + "' " : "") + "is unknown; " +
                       std::string(schemes_allowed));
    }
    text.remove_prefix(end + 3);
    return *found;
}

// A password with a raw '/', '?' or '#' cuts the text in the wrong place, and leaves its '@' there.
result<pieces> cut(std::string_view text, transport over) {
    if (text.find('#') != std::string_view::npos) {
        return bad_url("it has a '#', which begins a fragment; allowed: none, and %23 for a '#'");
    }
    pieces made;
    const std::size_t end = text.find_first_of("/?");
    made.authority = text.substr(0, end);
    text.remove_prefix(made.authority.size());
    const std::size_t query = text.find('?');
    made.path = text.substr(0, query);
    made.query = query == std::string_view::npos ? std::string_view() : text.substr(query + 1);

    const std::size_t at = made.authority.find('@');
    if (at != std::string_view::npos) {
        made.has_user_info = true;
        made.user_info = made.authority.substr(0, at);
        made.authority.remove_prefix(at + 1);
    }
    const bool late = over != transport::unix_socket && text.find('@') != std::string_view::npos;
    if (late || made.authority.find('@') != std::string_view::npos) {
        return bad_url(
            "'@' stands where it does not belong; allowed: one behind user and password, and in "
            "them and in parameters %40 for '@', %2F for '/', %3F for '?'");
    }
    return made;
}

result<void> read_user_info(std::string_view text, server_url& url) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return bad_url(
            "user stands without a password; allowed: user:password@, or :password@ for the user "
            "default");
    }
    std::optional<std::string> user = detail::percent_decoded(text.substr(0, colon));
    std::optional<std::string> password = detail::percent_decoded(text.substr(colon + 1));
    if (!user) {
        return bad_url("user has a '%' without two hexadecimal digits; allowed: %25 for a '%'");
    }
    if (!password) {
        return bad_url("password has a '%' without two hexadecimal digits; allowed: %25 for a '%'");
    }
    if (user->empty() && password->empty()) {
        return bad_url("user and password are empty; allowed: user:password@, or :password@");
    }
    url.user = std::move(*user);
    url.password = std::move(password);
    return {};
}

result<void> read_hosts(std::string_view text, std::uint16_t default_port, server_url& url) {
    result<std::vector<server_host>> hosts = detail::parse_hosts(text, default_port);
    if (!hosts) {
        return std::unexpected(std::move(hosts.error()));
    }
    url.hosts = std::move(*hosts);
    return {};
}

result<void> read_database(std::string_view text, server_url& url) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() ||
        number > server_url::database_max) {
        return bad_url("database '" + printable(text) + "' is not a number; allowed: 0 to " +
                       std::to_string(server_url::database_max));
    }
    url.database = number;
    return {};
}

result<void> read_socket_path(std::string_view text, server_url& url) {
    std::optional<std::string> path = detail::percent_decoded(text);
    if (!path) {
        return bad_url("path has a '%' without two hexadecimal digits; allowed: %25 for a '%'");
    }
    if (path->size() < 2 || path->size() > socket_address::unix_path_max ||
        path->find('\0') != std::string::npos) {
        return bad_url("path is " + std::to_string(path->size()) +
                       " bytes long or holds a NUL byte; allowed: 2 to " +
                       std::to_string(socket_address::unix_path_max) +
                       " bytes, as in unix:///run/redis.sock");
    }
    url.path = std::move(*path);
    return {};
}

// "/MASTER" or "/MASTER/DB" of sentinels; leaves "/DB" or nothing.
result<void> read_master(std::string_view& path, server_url& url) {
    const std::size_t end = path.empty() ? 0 : path.find('/', 1);
    std::optional<std::string> name =
        path.empty() ? "" : detail::percent_decoded(path.substr(1, end - 1));
    if (!name || name->empty()) {
        return bad_url(
            "master is missing or has a bad '%'; allowed: its name after the hosts, as in "
            "redis+sentinel://host:26379/mymaster");
    }
    url.master = std::move(*name);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
    return {};
}

result<void> read_parameter(std::string_view text, server_url& url, bool& has_database) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (std::ranges::find(parameter_names, name) == parameter_names.end()) {
        std::string allowed;
        for (const std::string_view known : parameter_names) {
            allowed.append(allowed.empty() ? "" : ", ").append(known);
        }
        // A name that a user has mistyped is shown, a value never.
        return bad_url("parameter '" + printable(name) + "' is unknown; allowed: " + allowed);
    }
    std::optional<std::string> value =
        equals == std::string_view::npos ? "" : detail::percent_decoded(text.substr(equals + 1));
    if (!value || value->empty()) {
        return bad_url("parameter '" + std::string(name) +
                       "' has no value or a bad '%'; allowed: NAME=VALUE, %25 for a '%'");
    }
    if (name == "db") {
        if (has_database) {
            return bad_url("database is given twice; allowed: once, as /N or as ?db=N");
        }
        has_database = true;
        return read_database(*value, url);
    }
    for (const auto& [earlier, ignored] : url.parameters) {
        if (earlier == name) {
            return bad_url("parameter '" + std::string(name) + "' is repeated; allowed: once");
        }
    }
    url.parameters.emplace_back(name, std::move(*value));
    return {};
}

result<void> read_parameters(std::string_view text, server_url& url, bool has_database) {
    while (!text.empty()) {
        const std::size_t end = text.find('&');
        const result<void> read = read_parameter(text.substr(0, end), url, has_database);
        if (!read) {
            return read;
        }
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return {};
}

// What stands between the scheme and the parameters. Tells whether a database was among it.
result<bool> read_place(const scheme& kind, const pieces& parts, server_url& url) {
    if (kind.over == transport::embedded) {
        url.hosts.clear();
        if (parts.has_user_info || !parts.authority.empty() || !parts.path.empty()) {
            return bad_url("embedded:// takes no host, user or path; allowed: ?NAME=VALUE");
        }
        return false;
    }
    if (parts.has_user_info) {
        if (result<void> read = read_user_info(parts.user_info, url); !read) {
            return std::unexpected(std::move(read.error()));
        }
    }
    if (kind.over == transport::unix_socket) {
        url.hosts.clear();
        if (!parts.authority.empty()) {
            return bad_url("path does not begin with '/'; allowed: unix:///run/redis.sock");
        }
        if (result<void> read = read_socket_path(parts.path, url); !read) {
            return std::unexpected(std::move(read.error()));
        }
        return false;
    }
    result<void> read = read_hosts(parts.authority, kind.sentinel ? 26'379 : 6'379, url);
    std::string_view path = parts.path;
    if (read && kind.sentinel) {
        read = read_master(path, url);
    }
    const bool has_database = path.size() > 1;
    if (read && has_database) {
        read = read_database(path.substr(1), url);
    }
    if (!read) {
        return std::unexpected(std::move(read.error()));
    }
    return has_database;
}

}  // namespace

result<server_url> server_url::parse(std::string_view text) {
    if (text.empty() || text.size() > size_max) {
        return bad_url("its text is " + std::to_string(text.size()) +
                       " bytes long; allowed: 1 to " + std::to_string(size_max));
    }
    const result<scheme> kind = read_scheme(text);
    if (!kind) {
        return std::unexpected(kind.error());
    }
    const result<pieces> parts = cut(text, kind->over);
    if (!parts) {
        return std::unexpected(parts.error());
    }
    server_url made;
    made.over = kind->over;
    const result<bool> has_database = read_place(*kind, *parts, made);
    if (!has_database) {
        return std::unexpected(has_database.error());
    }
    if (result<void> read = read_parameters(parts->query, made, *has_database); !read) {
        return std::unexpected(std::move(read.error()));
    }
    return made;
}

std::string server_url::to_string() const {
    if (over == transport::embedded) {
        return "embedded://";
    }
    if (over == transport::unix_socket) {
        return "unix://" + printable(path) +
               (database == 0 ? "" : "?db=" + std::to_string(database));
    }
    std::string text = over == transport::tls ? "rediss" : "redis";
    text += master.empty() ? "://" : "+sentinel://";
    for (const server_host& host : hosts) {
        text += (&host == hosts.data() ? "" : ",") + host.to_string();
    }
    if (!master.empty()) {
        text += "/" + printable(master);
    }
    return text + (database == 0 ? "" : "/" + std::to_string(database));
}

}  // namespace weir::redisq
