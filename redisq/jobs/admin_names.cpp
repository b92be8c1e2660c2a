// The names of all queues, by the names of their keys.
#include <memory>
#include <set>
#include <utility>

#include "../resp/reply.hpp"
#include "admin.hpp"

namespace weir::redisq {
namespace {

template <class T>
T value_of(result<T> outcome) {
    if (!outcome && outcome.error().code() == std::errc::operation_canceled) {
        throw canceled();
    }
    return value_or_throw(std::move(outcome));
}

// Of the queues that have keys on this server.
task<> add_names(std::shared_ptr<client> server, std::set<std::string>* names) {
    constexpr std::string_view before = "weir:{";
    std::string cursor = "0";
    do {
        const resp::reply page = value_of(co_await server->command<resp::reply>(
            idempotent, "SCAN", cursor, "MATCH", "weir:{*}:*", "COUNT", 1000));
        cursor = page.view()[0].text();
        for (const resp::reply_view key : page.view()[1]) {
            const std::string_view text = key.text();
            const std::size_t end = text.find('}');
            if (text.size() > before.size() && end != std::string_view::npos) {
                names->emplace(text.substr(before.size(), end - before.size()));
            }
        }
    } while (cursor != "0");
}

}  // namespace

task<std::vector<std::string>> queue_admin::queues(detail::job_server server) {
    std::set<std::string> names;
    const auto nodes = value_of(co_await server.nodes());
    for (const std::shared_ptr<client>& node : nodes) {
        co_await add_names(node, &names);
    }
    co_return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace weir::redisq
