#include "address.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace weir {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
static_assert(sizeof(sockaddr_un::sun_path) == socket_address::unix_path_max + 1);

std::unexpected<std::error_code> refused(net_errc code) noexcept {
    return std::unexpected(make_error_code(code));
}

// FNV-1a.
std::size_t mix(std::size_t hash, const void* bytes, std::size_t count) noexcept {
    constexpr std::size_t prime = 0x100000001b3;
    for (const unsigned char byte : std::span(static_cast<const unsigned char*>(bytes), count)) {
        hash = (hash ^ byte) * prime;
    }
    return hash;
}

}  // namespace

template <class T>
T socket_address::as() const noexcept {
    T address{};
    std::memcpy(&address, &storage_, sizeof address);
    return address;
}

template <class T>
void socket_address::assign(const T& address, socklen_t size) noexcept {
    std::memcpy(&storage_, &address, sizeof address);
    size_ = size;
}

result<socket_address> socket_address::unix_path(std::string_view path) noexcept {
    if (path.size() > unix_path_max) {
        return refused(net_errc::path_too_long);
    }
    if (path.empty() || path.contains('\0')) {
        return refused(net_errc::bad_address);
    }
    sockaddr_un raw{};
    raw.sun_family = AF_UNIX;
    std::ranges::copy(path, raw.sun_path);
    socket_address made;
    made.assign(raw, static_cast<socklen_t>(path_offset + path.size() + 1));
    return made;
}

result<socket_address> socket_address::unix_abstract(std::string_view name) noexcept {
    if (name.size() > unix_path_max) {
        return refused(net_errc::path_too_long);
    }
    if (name.empty()) {
        return refused(net_errc::bad_address);
    }
    sockaddr_un raw{};
    raw.sun_family = AF_UNIX;
    std::ranges::copy(name, raw.sun_path + 1);
    socket_address made;
    made.assign(raw, static_cast<socklen_t>(path_offset + 1 + name.size()));
    return made;
}

socket_address socket_address::ipv4(std::array<std::uint8_t, 4> address,
                                    std::uint16_t port) noexcept {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    std::memcpy(&raw.sin_addr, address.data(), address.size());
    socket_address made;
    made.assign(raw, sizeof raw);
    return made;
}

socket_address socket_address::ipv6(std::array<std::uint8_t, 16> address, std::uint16_t port,
                                    std::uint32_t scope) noexcept {
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(port);
    raw.sin6_scope_id = scope;
    std::memcpy(&raw.sin6_addr, address.data(), address.size());
    socket_address made;
    made.assign(raw, sizeof raw);
    return made;
}

socket_address socket_address::any_ipv4(std::uint16_t port) noexcept { return ipv4({}, port); }

socket_address socket_address::any_ipv6(std::uint16_t port) noexcept { return ipv6({}, port); }

socket_address socket_address::loopback_ipv4(std::uint16_t port) noexcept {
    return ipv4({127, 0, 0, 1}, port);
}

socket_address socket_address::loopback_ipv6(std::uint16_t port) noexcept {
    std::array<std::uint8_t, 16> one{};
    one.back() = 1;
    return ipv6(one, port);
}

socket_address socket_address::from_raw(const sockaddr* address, socklen_t size) noexcept {
    socket_address made;
    made.set_size(size);
    if (made.size_ != 0) {
        std::memcpy(&made.storage_, address, made.size_);
    }
    return made;
}

address_family socket_address::family() const noexcept {
    if (size_ >= sizeof(sockaddr_in) && storage_.ss_family == AF_INET) {
        return address_family::ipv4;
    }
    if (size_ >= sizeof(sockaddr_in6) && storage_.ss_family == AF_INET6) {
        return address_family::ipv6;
    }
    if (size_ >= path_offset && storage_.ss_family == AF_UNIX) {
        return address_family::unix_domain;
    }
    return address_family::unspecified;
}

std::uint16_t socket_address::port() const noexcept {
    switch (family()) {
        case address_family::ipv4:
            return ntohs(as<sockaddr_in>().sin_port);
        case address_family::ipv6:
            return ntohs(as<sockaddr_in6>().sin6_port);
        default:
            return 0;
    }
}

socket_address socket_address::with_port(std::uint16_t port) const noexcept {
    socket_address made = *this;
    if (family() == address_family::ipv4) {
        auto raw = as<sockaddr_in>();
        raw.sin_port = htons(port);
        made.assign(raw, size_);
    } else if (family() == address_family::ipv6) {
        auto raw = as<sockaddr_in6>();
        raw.sin6_port = htons(port);
        made.assign(raw, size_);
    }
    return made;
}

std::string_view socket_address::path() const noexcept {
    if (family() != address_family::unix_domain) {
        return {};
    }
    const std::string_view bytes(reinterpret_cast<const char*>(&storage_) + path_offset,
                                 size_ - path_offset);
    if (bytes.starts_with('\0')) {
        return bytes;
    }
    return bytes.substr(0, bytes.find('\0'));
}

std::size_t socket_address::hash() const noexcept {
    const address_family kind = family();
    const std::uint16_t number = port();
    std::size_t hash = mix(0xcbf29ce484222325, &kind, sizeof kind);
    hash = mix(hash, &number, sizeof number);
    if (kind == address_family::ipv4) {
        const auto raw = as<sockaddr_in>();
        return mix(hash, &raw.sin_addr, sizeof raw.sin_addr);
    }
    if (kind == address_family::ipv6) {
        const auto raw = as<sockaddr_in6>();
        hash = mix(hash, &raw.sin6_scope_id, sizeof raw.sin6_scope_id);
        return mix(hash, &raw.sin6_addr, sizeof raw.sin6_addr);
    }
    const std::string_view bytes = path();
    return mix(hash, bytes.data(), bytes.size());
}

bool operator==(const socket_address& left, const socket_address& right) noexcept {
    const address_family kind = left.family();
    if (kind != right.family() || left.port() != right.port()) {
        return false;
    }
    if (kind == address_family::ipv4) {
        return left.as<sockaddr_in>().sin_addr.s_addr == right.as<sockaddr_in>().sin_addr.s_addr;
    }
    if (kind == address_family::ipv6) {
        const auto mine = left.as<sockaddr_in6>();
        const auto other = right.as<sockaddr_in6>();
        return mine.sin6_scope_id == other.sin6_scope_id &&
               std::memcmp(&mine.sin6_addr, &other.sin6_addr, sizeof mine.sin6_addr) == 0;
    }
    return left.path() == right.path();
}

}  // namespace weir
