// socket_address: where a socket is bound, or whom it talks to.
//
//     const auto server = weir::socket_address::parse("[::1]:6379");
//     const weir::socket_address here = weir::socket_address::loopback_ipv4(0);
//     report(server ? server->to_string() : server.error().message());
//
// A value over sockaddr_storage: IPv4 (ip(7)), IPv6 with its scope (ipv6(7)), or a Unix socket's
// path or abstract name (unix(7)). Ports are in the host's byte order. Names of hosts are resolved
// elsewhere (resolver.hpp); nothing here allocates but to_string().
//
// Equal are addresses that name the same end: family, address, port and scope, or path; padding and
// IPv6 flow labels are not compared.
//
// Errors: net_errc::bad_address, bad_port, path_too_long. Thread: any; a value.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "../result.hpp"
#include "errors.hpp"

namespace weir {

enum class address_family : std::uint8_t {
    unspecified,  // no address, or one of a family that is not listed here
    ipv4,
    ipv6,
    unix_domain
};

class socket_address {
  public:
    // Bytes in a Unix socket's path (its NUL is the 108th), or in an abstract name.
    static constexpr std::size_t unix_path_max = 107;

    // Unspecified: size() is 0.
    socket_address() noexcept = default;

    // Takes "1.2.3.4:80", "[::1]:80", "[fe80::1%eth0]:80" or "[fe80::1%2]:80", "unix:/path" and
    // "unix:@name" (abstract). The port is 0 to 65535 and always there. Whoever gives an interface
    // by its name asks the kernel for its number (if_nametoindex(3)).
    [[nodiscard]] static result<socket_address> parse(std::string_view text) noexcept;

    // 1 to unix_path_max bytes without a NUL.
    [[nodiscard]] static result<socket_address> unix_path(std::string_view path) noexcept;
    // A name without a file, 1 to unix_path_max bytes of any value; the leading NUL is added here.
    [[nodiscard]] static result<socket_address> unix_abstract(std::string_view name) noexcept;

    [[nodiscard]] static socket_address ipv4(std::array<std::uint8_t, 4> address,
                                             std::uint16_t port) noexcept;
    // `scope` is the interface's number for link-local addresses, otherwise 0.
    [[nodiscard]] static socket_address ipv6(std::array<std::uint8_t, 16> address,
                                             std::uint16_t port, std::uint32_t scope = 0) noexcept;
    // All interfaces. A socket bound to any_ipv6 serves IPv4 as well, unless IPV6_V6ONLY is set.
    [[nodiscard]] static socket_address any_ipv4(std::uint16_t port) noexcept;
    [[nodiscard]] static socket_address any_ipv6(std::uint16_t port) noexcept;
    [[nodiscard]] static socket_address loopback_ipv4(std::uint16_t port) noexcept;
    [[nodiscard]] static socket_address loopback_ipv6(std::uint16_t port) noexcept;

    // A copy of what the kernel or the C library gave; bytes beyond capacity() are left out.
    [[nodiscard]] static socket_address from_raw(const sockaddr* address, socklen_t size) noexcept;

    // unspecified where size() is too small for the family that the bytes tell.
    [[nodiscard]] address_family family() const noexcept;

    // 0 where the family has no ports.
    [[nodiscard]] std::uint16_t port() const noexcept;
    // The same address with another port; itself where the family has no ports.
    [[nodiscard]] socket_address with_port(std::uint16_t port) const noexcept;

    // Of a Unix socket: its path; of an abstract one NUL and its name; otherwise, and of one
    // without a name, empty. Lives as long as this is not written.
    [[nodiscard]] std::string_view path() const noexcept;

    // As parse() takes it; "unspecified" for none. Bytes of a path that do not print, and the
    // backslash, come as \xNN, so that a peer's name is safe in a log.
    [[nodiscard]] std::string to_string() const;

    // For system calls: they read size() bytes, and write at most capacity() and then tell how
    // many by set_size().
    [[nodiscard]] const sockaddr* data() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage_);
    }
    [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
    [[nodiscard]] socklen_t size() const noexcept { return size_; }
    // A size beyond capacity() counts as capacity().
    void set_size(socklen_t size) noexcept { size_ = size < capacity() ? size : capacity(); }
    [[nodiscard]] static constexpr socklen_t capacity() noexcept {
        return sizeof(sockaddr_storage);
    }

    [[nodiscard]] std::size_t hash() const noexcept;
    friend bool operator==(const socket_address& left, const socket_address& right) noexcept;

  private:
    template <class T>
    [[nodiscard]] T as() const noexcept;
    template <class T>
    void assign(const T& address, socklen_t size) noexcept;

    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

}  // namespace weir

template <>
struct std::hash<weir::socket_address> {
    std::size_t operator()(const weir::socket_address& address) const noexcept {
        return address.hash();
    }
};
