#include "detail/server_warnings.hpp"

#include <algorithm>
#include <optional>

namespace weir::redisq::detail {
namespace {

bool is_loopback(std::string_view host) {
    const bool is_ipv4 =
        std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
           (is_ipv4 && host.starts_with("127."));
}

// The value of "NAME:VALUE", a line of its own.
std::optional<std::string_view> line_of(std::string_view info, std::string_view name) {
    while (!info.empty()) {
        const std::size_t end = std::min(info.find('\n'), info.size());
        std::string_view line = info.substr(0, end);
        info.remove_prefix(std::min(end + 1, info.size()));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            return line.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> warnings_of_address(const server_url& server) {
    std::vector<std::string> warnings;
    const auto remote = std::ranges::find_if(
        server.hosts, [](const server_host& host) { return !is_loopback(host.name); });
    if (remote == server.hosts.end()) {
        return warnings;  // also a Unix socket and an embedded server
    }
    if (!server.password) {
        warnings.push_back("Redis at " + remote->to_string() +
                           " is used without a password: whoever reaches it can read, change and "
                           "submit jobs; allowed for the loopback address and Unix sockets only");
    }
    if (server.over != transport::tls) {
        warnings.push_back("the way to Redis at " + remote->to_string() +
                           " is not encrypted: others on it can read jobs and the password; use "
                           "rediss://");
    }
    return warnings;
}

std::vector<std::string> warnings_of_info(std::string_view info) {
    std::vector<std::string> warnings;
    const auto policy = line_of(info, "maxmemory_policy");
    if (policy && *policy != "noeviction") {
        warnings.push_back("Redis has maxmemory-policy " + std::string(*policy) +
                           ": jobs may be evicted; safe is noeviction");
    }
    if (line_of(info, "aof_enabled") == "0") {
        warnings.emplace_back(
            "Redis has appendonly no: when it dies, jobs that were submitted since its last "
            "snapshot are lost; safe is yes");
    }
    return warnings;
}

}  // namespace weir::redisq::detail
