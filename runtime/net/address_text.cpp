// How an address is read from text and written as text.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "address.hpp"

namespace weir {
namespace {

std::unexpected<std::error_code> refused(net_errc code) noexcept {
    return std::unexpected(make_error_code(code));
}

// Decimal digits only, the whole of `text`.
template <class Number>
bool read_number(std::string_view text, Number& number) noexcept {
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stopped == end;
}

bool read_port(std::string_view text, std::uint16_t& port) noexcept {
    constexpr std::size_t digits_max = 5;
    return text.size() <= digits_max && read_number(text, port);
}

// inet_pton(3) wants a terminated string.
template <class Address>
bool read_host(int family, std::string_view text, Address& address) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.contains('\0')) {
        return false;
    }
    std::ranges::copy(text, terminated.begin());
    return inet_pton(family, terminated.data(), &address) == 1;
}

// An interface's number, or its name.
bool read_scope(std::string_view text, std::uint32_t& scope) noexcept {
    if (read_number(text, scope)) {
        return scope != 0;
    }
    std::array<char, IF_NAMESIZE> name{};
    if (text.empty() || text.size() >= name.size() || text.contains('\0')) {
        return false;
    }
    std::ranges::copy(text, name.begin());
    scope = if_nametoindex(name.data());
    return scope != 0;
}

std::string host_text(int family, const void* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(family, address, text.data(), text.size());
    return text.data();
}

std::string ipv6_text(const sockaddr_in6& address) {
    std::string text(1, '[');
    text += host_text(AF_INET6, &address.sin6_addr);
    if (address.sin6_scope_id != 0) {
        std::array<char, IF_NAMESIZE> name{};
        const bool known = if_indextoname(address.sin6_scope_id, name.data()) != nullptr;
        text += '%';
        text += known ? std::string(name.data()) : std::to_string(address.sin6_scope_id);
    }
    return text + "]";
}

void append_printable(std::string& text, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        if (value >= ' ' && value < 0x7f && byte != '\\') {
            text += byte;
        } else {
            text += "\\x";
            text += digits[value >> 4];
            text += digits[value & 0xf];
        }
    }
}

std::string unix_text(std::string_view path) {
    std::string text = "unix:";
    if (path.starts_with('\0')) {
        text += '@';
        path.remove_prefix(1);
    } else if (path.starts_with('@')) {
        text += "./";  // the same file, and not taken for an abstract name
    }
    append_printable(text, path);
    return text;
}

result<socket_address> parse_ipv4(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    in_addr host{};
    if (!read_host(AF_INET, text.substr(0, colon), host)) {
        return refused(net_errc::bad_address);
    }
    std::uint16_t port = 0;
    if (colon == std::string_view::npos || !read_port(text.substr(colon + 1), port)) {
        return refused(net_errc::bad_port);
    }
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &host, bytes.size());
    return socket_address::ipv4(bytes, port);
}

// `text` is what stands behind the opening bracket.
result<socket_address> parse_ipv6(std::string_view text) noexcept {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) {
        return refused(net_errc::bad_address);
    }
    const std::string_view inside = text.substr(0, bracket);
    const std::size_t percent = inside.find('%');
    std::array<std::uint8_t, 16> host{};
    std::uint32_t scope = 0;
    if (!read_host(AF_INET6, inside.substr(0, percent), host) ||
        (percent != std::string_view::npos && !read_scope(inside.substr(percent + 1), scope))) {
        return refused(net_errc::bad_address);
    }
    const std::string_view rest = text.substr(bracket + 1);
    std::uint16_t port = 0;
    if (!rest.starts_with(':') || !read_port(rest.substr(1), port)) {
        return refused(net_errc::bad_port);
    }
    return socket_address::ipv6(host, port, scope);
}

}  // namespace

result<socket_address> socket_address::parse(std::string_view text) noexcept {
    constexpr std::string_view unix_prefix = "unix:";
    if (text.starts_with(unix_prefix)) {
        const std::string_view path = text.substr(unix_prefix.size());
        return path.starts_with('@') ? unix_abstract(path.substr(1)) : unix_path(path);
    }
    return text.starts_with('[') ? parse_ipv6(text.substr(1)) : parse_ipv4(text);
}

std::string socket_address::to_string() const {
    switch (family()) {
        case address_family::ipv4: {
            sockaddr_in raw{};
            std::memcpy(&raw, data(), sizeof raw);
            return host_text(AF_INET, &raw.sin_addr) + ":" + std::to_string(port());
        }
        case address_family::ipv6: {
            sockaddr_in6 raw{};
            std::memcpy(&raw, data(), sizeof raw);
            return ipv6_text(raw) + ":" + std::to_string(port());
        }
        case address_family::unix_domain:
            return unix_text(path());
        case address_family::unspecified:
            break;
    }
    return "unspecified";
}

}  // namespace weir
