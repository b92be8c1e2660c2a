#include "sentinel.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "../runtime/assert.hpp"
#include "client.hpp"
#include "detail/url_text.hpp"
#include "resp/reply.hpp"

namespace weir::redisq {
namespace {

constexpr duration sentinel_limit = std::chrono::seconds(1);

// How to speak to one sentinel.
client_options options_of(const client_options& group, const server_host& sentinel) {
    client_options own = group;
    own.server = server_url();
    own.server.over = group.server.over;
    own.server.hosts = {sentinel};
    own.server.user = group.sentinel_user;
    own.server.password = group.sentinel_password;
    own.role = server_role::any;
    own.connect_attempts = 1;
    own.connect_timeout = std::min(group.connect_timeout, sentinel_limit);
    own.command_timeout = own.connect_timeout;
    return own;
}

result<server_host> host_of(std::string_view name, std::string_view port) {
    server_host host;
    host.name = name;
    const auto read = std::from_chars(port.data(), port.data() + port.size(), host.port);
    if (name.empty() || read.ec != std::errc() || host.port == 0) {
        return std::unexpected(
            error(make_error_code(errc::protocol_error), "the sentinel's answer is no address"));
    }
    return host;
}

// The answer of the first sentinel that has one.
task<result<resp::reply>> ask(client_options group, std::string question) {
    WEIR_ASSERT(!group.server.master.empty(), "the URL is one of sentinels");
    error last(errc::connect_failed);
    for (const server_host& sentinel : group.server.hosts) {
        client one(options_of(group, sentinel));
        result<resp::reply> answer =
            co_await one.command<resp::reply>("SENTINEL", question, group.server.master);
        if (answer && !answer->view().is_null()) {
            co_return std::move(*answer);
        }
        if (answer) {
            last = error(make_error_code(errc::connect_failed),
                         "sentinel " + sentinel.to_string() + " knows no master '" +
                             detail::printable(group.server.master) + "'");
        } else if (answer.error().code() == std::errc::operation_canceled) {
            co_return std::unexpected(std::move(answer.error()));
        } else {
            last = error(make_error_code(errc::connect_failed),
                         "sentinel " + sentinel.to_string() + ": " + answer.error().message());
        }
    }
    co_return std::unexpected(std::move(last));
}

// What one server's list of names and values says of `name`; a map or, in RESP2, an array.
std::string_view value_in(const resp::reply_view& pairs, std::string_view name) {
    for (auto at = pairs.begin(); at != pairs.end(); ++at) {
        const bool is_it = (*at).text() == name;
        if (++at == pairs.end()) {
            break;
        }
        if (is_it) {
            return (*at).text();
        }
    }
    return {};
}

}  // namespace

task<result<server_host>> find_master(client_options options) {
    const result<resp::reply> answer = co_await ask(std::move(options), "GET-MASTER-ADDR-BY-NAME");
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const resp::reply_view address = answer->view();
    co_return address.size() == 2 ? host_of(address[0].text(), address[1].text()) : host_of("", "");
}

task<result<std::vector<server_host>>> find_replicas(client_options options) {
    const result<resp::reply> answer = co_await ask(std::move(options), "REPLICAS");
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    std::vector<server_host> alive;
    for (const resp::reply_view replica : answer->view()) {
        const std::string_view flags = value_in(replica, "flags");
        if (flags.find("down") == std::string_view::npos &&
            flags.find("disconnected") == std::string_view::npos) {
            result<server_host> host = host_of(value_in(replica, "ip"), value_in(replica, "port"));
            if (!host) {
                co_return std::unexpected(std::move(host.error()));
            }
            alive.push_back(std::move(*host));
        }
    }
    co_return alive;
}

}  // namespace weir::redisq
