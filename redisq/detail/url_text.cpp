#include "url_text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <expected>
#include <system_error>
#include <utility>

namespace weir::redisq {
namespace {

using detail::bad_url;
using detail::printable;

// -1 where it is none.
int hexadecimal_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

result<std::uint16_t> read_port(std::string_view text) {
    constexpr std::string_view allowed = "; allowed: 1 to 65535";
    std::uint32_t port = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    // What is no number, or far too long for one, may be a password whose '@' is missing.
    if (text.empty() || text.size() > 5 || read.ec != std::errc() ||
        read.ptr != text.data() + text.size()) {
        return bad_url((text.empty() ? "port is empty" : "port is not a number of 1 to 5 digits") +
                       std::string(allowed));
    }
    if (port == 0 || port > 65'535) {
        return bad_url("port is " + std::to_string(port) + std::string(allowed));
    }
    return static_cast<std::uint16_t>(port);
}

bool is_ipv6(const std::string& address) {
    const std::size_t zone = address.find('%');
    in6_addr ignored{};
    return zone != address.size() - 1 &&
           ::inet_pton(AF_INET6, address.substr(0, zone).c_str(), &ignored) == 1;
}

result<server_host> read_bracketed(std::string_view text, std::uint16_t default_port) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
        return bad_url("host begins with '[' and has no ']'; allowed: [::1]:6379");
    }
    std::string inside(text.substr(1, end - 1));
    if (const std::size_t zone = inside.find("%25"); zone != std::string::npos) {
        inside.erase(zone + 1, 2);
    }
    // A NUL would end the text before inet_pton(3) has seen all of it.
    if (inside.empty() || inside.find('\0') != std::string::npos || !is_ipv6(inside)) {
        return bad_url("host '[" + printable(inside) + "]' is no IPv6 address; allowed: [::1]");
    }
    text.remove_prefix(end + 1);
    if (text.empty()) {
        return server_host(std::move(inside), default_port);
    }
    if (text.front() != ':') {
        return bad_url("host has text between ']' and its port; allowed: [::1]:6379");
    }
    const result<std::uint16_t> port = read_port(text.substr(1));
    if (!port) {
        return std::unexpected(port.error());
    }
    return server_host(std::move(inside), *port);
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

result<server_host> read_host(std::string_view text, std::uint16_t default_port) {
    if (text.starts_with('[')) {
        return read_bracketed(text, default_port);
    }
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty() && text.find(':', colon + 1) == std::string_view::npos) {
        return bad_url("host is missing; allowed: a name, an IPv4 address, [an IPv6 address]");
    }
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
        return bad_url(
            "host has more than one ':'; allowed: host:port, and an IPv6 address in brackets");
    }
    if (!std::ranges::all_of(name, is_host_character) || name.size() > 253) {
        return bad_url("host is not a name; allowed: letters, digits, '-', '.' and '_', 1 to 253");
    }
    if (colon == std::string_view::npos) {
        return server_host(std::string(name), default_port);
    }
    const result<std::uint16_t> port = read_port(text.substr(colon + 1));
    if (!port) {
        return std::unexpected(port.error());
    }
    return server_host(std::string(name), *port);
}

}  // namespace

std::string server_host::to_string() const {
    const bool brackets = name.find(':') != std::string::npos;
    return (brackets ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

namespace detail {

std::unexpected<error> bad_url(std::string_view what) {
    return std::unexpected(error(errc::bad_url, "URL of a Redis server: " + std::string(what)));
}

std::string printable(std::string_view text) {
    static constexpr std::size_t shown_max = 64;
    static constexpr const char* digits = "0123456789abcdef";
    std::string made;
    for (const char c : text.substr(0, shown_max)) {
        const auto value = static_cast<unsigned char>(c);
        if (value > ' ' && value < 0x7f && c != '\\') {
            made += c;
        } else {
            made += {'\\', 'x', digits[value >> 4U], digits[value & 15U]};
        }
    }
    return text.size() > shown_max ? made + "..." : made;
}

std::string quoted(std::string_view text) {
    std::string marked(1, '\'');
    marked += printable(text);
    marked += '\'';
    return marked;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string made;
    made.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            made += text[at];
            continue;
        }
        if (text.size() - at < 3) {
            return std::nullopt;
        }
        const int high = hexadecimal_value(text[at + 1]);
        const int low = hexadecimal_value(text[at + 2]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        made += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return made;
}

result<std::vector<server_host>> parse_hosts(std::string_view text, std::uint16_t default_port) {
    std::vector<server_host> hosts;
    while (true) {
        const std::size_t comma = text.find(',');
        result<server_host> host = read_host(text.substr(0, comma), default_port);
        if (!host) {
            return std::unexpected(std::move(host.error()));
        }
        hosts.push_back(std::move(*host));
        if (comma == std::string_view::npos) {
            return hosts;
        }
        if (hosts.size() == server_url::hosts_max) {
            return bad_url("hosts are too many; allowed: 1 to " +
                           std::to_string(server_url::hosts_max));
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace detail
}  // namespace weir::redisq
