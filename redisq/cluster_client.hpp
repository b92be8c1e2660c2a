// cluster_client: a client of a Redis Cluster; each command goes to the node that has its slot.
//
//     weir::redisq::cluster_client cluster("redis://10.0.0.1:7000,10.0.0.2:7000");
//     const auto stored = co_await cluster.command<void>("SET", "{user:17}:name", "Ada");
//     const auto name = co_await cluster.command<std::string>("GET", "{user:17}:name");
//     report(name ? *name : name.error().message());
//
// The hosts of the URL are asked, until one answers, which node serves which slots; that is asked
// again when nodes answer otherwise or are gone. There is one connection to a node, shared as a
// client's is. Each node is spoken to with the same options: user, password, TLS.
//
// A pipeline is split by node, the parts travel at the same time, and the replies come back in the
// order of the commands. Commands with keys of one slot keep their order; others may run in any.
//
//   MOVED, ASK             the command goes to the node that is named, at most redirects_max times
//   TRYAGAIN, CLUSTERDOWN,
//   LOADING, MASTERDOWN,
//   READONLY               it was not run: it is sent again, after delays (client_options::
//                          reconnect), until its time is up; then the error reply is the reply
//   a node is gone         the slots are asked for again; a command that was sent and not answered
//                          fails with errc::connection_lost, unless it is idempotent
//   keys of several slots  errc::cross_slot, and nothing is sent; give keys a {tag}
//
// Commands without keys go to any node: PUBLISH reaches everybody, KEYS and DBSIZE tell of one
// node. Transactions, scripts by script.hpp, blocking commands and subscriptions belong to one
// node: client_of(key) gives its client.
//
// Errors: those of client.hpp, and errc::too_many_redirects. Lifetime: ends before its loop; calls
// that are under way when it is destroyed end with errc::closed or their reply.
// Thread: the loop's.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../runtime/task.hpp"
#include "call_options.hpp"
#include "client.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "pipeline.hpp"
#include "replies.hpp"

namespace weir::redisq {

namespace detail {
class cluster_core;

template <class T>
[[nodiscard]] task<result<T>> first_reply(task<result<replies>> answers) {
    const result<replies> all = co_await std::move(answers);
    if (!all) {
        co_return std::unexpected(all.error());
    }
    co_return all->template get<T>(0);
}

}  // namespace detail

// Since the client was made.
struct cluster_counters {
    std::uint64_t moved = 0;      // redirects that stay
    std::uint64_t asked = 0;      // redirects of one command
    std::uint64_t repeated = 0;   // commands that were sent again after a delay
    std::uint64_t refreshes = 0;  // times that the slots were read
};

class cluster_client {
  public:
    static constexpr unsigned redirects_max = 16;

    // On the loop that runs now. Throws std::invalid_argument for options that are not sound, or
    // not those of a cluster: hosts of redis:// or rediss://, database 0.
    explicit cluster_client(client_options options);
    explicit cluster_client(std::string_view url) : cluster_client(client_options(url)) {}
    cluster_client(cluster_client&&) noexcept = default;
    cluster_client& operator=(cluster_client&& other) noexcept;
    ~cluster_client();

    // As client::command; arguments are encoded before it returns.
    template <class T, class Name, class... Arguments>
        requires(!std::same_as<Name, call_options>)
    [[nodiscard]] task<result<T>> command(const Name& name, const Arguments&... arguments) {
        return command<T>(call_options(), name, arguments...);
    }
    template <class T, class Name, class... Arguments>
    [[nodiscard]] task<result<T>> command(call_options options, const Name& name,
                                          const Arguments&... arguments) {
        static_assert(detail::outlives_its_reply<T>,
                      "the text of a reply is gone when its caller goes on: ask for a std::string "
                      "or a reply instead of a view");
        pipeline one;
        one.add(name, arguments...);
        return detail::first_reply<T>(run(std::move(one), options));
    }

    // Sends a copy of the pipeline; an error reply is one of the replies.
    // ref: copied before it returns.
    [[nodiscard]] task<result<replies>> execute(const pipeline& commands,
                                                call_options options = call_options());

    // Reads the slots: tells at once what is wrong with the options.
    [[nodiscard]] task<result<void>> connect();

    // The client of the node that has the slot of `key` now. It stays good as long as it is held;
    // when the slot moves, commands on it give errc::moved.
    [[nodiscard]] task<result<std::shared_ptr<client>>> client_of(std::string key);

    // Ends when the replies under way have come. No more commands: they fail with errc::closed.
    [[nodiscard]] task<> close();

    [[nodiscard]] const cluster_counters& counters() const noexcept;
    // Nodes that are known to have slots.
    [[nodiscard]] std::size_t nodes() const noexcept;

    // For the library.
    [[nodiscard]] const std::shared_ptr<detail::cluster_core>& core() const noexcept {
        return core_;
    }

  private:
    [[nodiscard]] task<result<replies>> run(pipeline commands, call_options options);

    std::shared_ptr<detail::cluster_core> core_;
};

}  // namespace weir::redisq
