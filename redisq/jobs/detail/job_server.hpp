// Where a queue lives: one server, or the node of a cluster that has the queue's slot. All that
// jobs ask of Redis, but for the reads that block (job_reader.hpp), goes through here.
//
// With one server a call goes to its client. In a cluster it goes straight to the client of the
// node that has the slot, as far as that is known, and costs what it costs there. Where it was not
// run, because the slot moves, has moved or has lost its node, it goes on as a cluster_client's
// commands do, until its time is up.
//
// Made of a client or of a cluster_client, and bound to a queue by of_queue(); before that, its
// commands go to the node of slot 0.
//
// Lifetime: not longer than the client. Thread: the loop's; a value.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "../../../runtime/clock.hpp"
#include "../../client.hpp"
#include "../../cluster_client.hpp"
#include "../../pipeline.hpp"
#include "../../replies.hpp"

namespace weir::redisq::detail {

class job_server {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): users give a client
    job_server(client& only) noexcept : only_(&only) {}
    // NOLINTNEXTLINE(google-explicit-constructor): the same
    job_server(cluster_client& cluster) noexcept : cluster_(cluster.core()) {}

    // The same server for this queue. The name is not judged.
    [[nodiscard]] job_server of_queue(std::string_view name) const;

    [[nodiscard]] bool is_cluster() const noexcept { return only_ == nullptr; }
    // Of the server, or for any node of the cluster.
    [[nodiscard]] const client_options& options() const noexcept;

    // One command; its keys are the queue's. Await it in the expression that makes it.
    template <class T, class Name, class... Arguments>
        requires(!std::same_as<Name, call_options>)
    [[nodiscard]] task<result<T>> command(const Name& name, const Arguments&... arguments) {
        return ask<T>(call_options(), name, arguments...);
    }
    template <class T, class Name, class... Arguments>
    [[nodiscard]] task<result<T>> command(call_options options, const Name& name,
                                          const Arguments&... arguments) {
        return ask<T>(options, name, arguments...);
    }

    // Commands that are encoded already, and their replies; an error reply is one of them. What a
    // node has refused because of its slot is sent again alone, so the others run once.
    // ref: both outlive the await.
    [[nodiscard]] task<result<void>> execute(const resp::command_buffer& commands, replies& into,
                                             call_options options);

    // Of a cluster: the node that has the slot; `again`: after reading the slots anew.
    [[nodiscard]] task<result<server_host>> owner(bool again);

    // Of a cluster: the node to which calls go now, null where it is not known. Of one server:
    // null.
    [[nodiscard]] std::shared_ptr<client> node() const noexcept;

    // After a call that nobody answered, and what node() was before it: where the slot has got
    // another owner, the connection to that one is dropped, so that nothing else waits for it.
    // Whether that was so.
    [[nodiscard]] task<bool> leave_silent_owner(std::shared_ptr<client> asked);

    // Drops the connection to the server, or to the node that has the slot: its calls that may run
    // twice are sent again, the others fail.
    void disconnect(const error& why) noexcept;

    // All servers that hold keys.
    [[nodiscard]] task<result<std::vector<std::shared_ptr<client>>>> nodes();

  private:
    // ref: awaited in the expression that makes it.
    template <class T, class... Words>
    task<result<T>> ask(call_options options, const Words&... words) {
        if (only_ != nullptr) [[likely]] {
            result<T> answer = co_await only_->command<T>(options, words...);
            if (!answer && answer.error() == errc::moved) [[unlikely]] {
                co_return std::unexpected(no_cluster(answer.error()));
            }
            co_return answer;
        }
        const time_point begin = now();
        if (const std::shared_ptr<client> node = here(); node != nullptr) {
            result<T> answer = co_await node->command<T>(options, words...);
            if (answer || !goes_on(answer.error(), options)) {
                co_return answer;
            }
        }
        pipeline again;
        again.add(words...);
        const result<replies> answers = co_await search(std::move(again), options, begin);
        if (!answers) {
            co_return std::unexpected(answers.error());
        }
        co_return answers->template get<T>(0);
    }

    [[nodiscard]] static time_point now() noexcept;
    // The node of the slot, as far as is known; or null.
    [[nodiscard]] std::shared_ptr<client> here() const noexcept;
    [[nodiscard]] static bool goes_on(const error& said, const call_options& options) noexcept;
    [[nodiscard]] static error no_cluster(const error& said);
    [[nodiscard]] task<result<replies>> search(pipeline commands, call_options options,
                                               time_point begin) const;
    // ref: as of execute().
    [[nodiscard]] task<result<void>> execute_rest(const resp::command_buffer& commands,
                                                  replies& into, call_options options,
                                                  time_point begin, bool has_answers);

    client* only_ = nullptr;
    std::shared_ptr<cluster_core> cluster_;
    std::uint16_t slot_ = 0;
};

}  // namespace weir::redisq::detail
