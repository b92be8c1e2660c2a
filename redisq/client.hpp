// client: a connection to one Redis server that many tasks share.
//
//     weir::redisq::client redis("redis://localhost:6379");
//     const auto stored = co_await redis.command<void>("SET", "greeting", "hello");
//     const auto text = co_await redis.command<std::optional<std::string>>("GET", "greeting");
//     if (text && *text) { report(**text); }
//
// Commands of all tasks travel on one connection, in the order in which they were given. What is
// given during a tick of the loop leaves in one send at its end: pipelining without asking for it,
// and without a timer. Each reply goes to its own caller, also where others were stopped meanwhile:
// a stopped caller leaves at once, and its reply is dropped when it comes.
//
// The connection is made for the first command, and made again where it was lost and somebody
// waits, after delays with full jitter (client_options::reconnect). Then a command that was not
// sent yet waits for the new connection until its timeout; one that was sent and not answered fails
// with errc::connection_lost, for it may have run, unless it was given as `idempotent`.
//
// Backpressure: beyond max_pending commands, or max_pending_bytes not yet sent, callers wait in
// line, and hold no memory of the client's.
//
// Errors: those of errors.hpp; std::errc::operation_canceled for a task that was stopped.
// std::bad_alloc and std::length_error (resp/encoder.hpp) are thrown.
// Lifetime: ends before its loop. Destroying it fails its callers with errc::closed. An awaitable
// that a client returns refers to its arguments: await it in the same expression.
// Thread: the loop's.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "../runtime/task.hpp"
#include "call_options.hpp"
#include "detail/blocking_call.hpp"
#include "detail/command_interface.hpp"
#include "errors.hpp"
#include "exclusive_client.hpp"
#include "options.hpp"
#include "streaming.hpp"

namespace weir::redisq {

class client : public detail::command_interface {
  public:
    // On the loop that runs now. Throws std::invalid_argument for options that are not sound.
    explicit client(client_options options);
    // Throws std::invalid_argument for what is no address; see url.hpp.
    explicit client(std::string_view url);

    // A command that the server may keep waiting for: BLPOP, XREAD with BLOCK, WAIT. It has a
    // connection of its own meanwhile, and no timeout but the one that the options give. Where its
    // task is stopped, that connection ends, so that the server hands nothing to nobody.
    template <class T, class Name, class... Arguments>
        requires(!std::same_as<Name, call_options>)
    [[nodiscard]] task<result<T>> blocking(const Name& name, const Arguments&... arguments) {
        return blocking<T>(call_options(), name, arguments...);
    }
    template <class T, class Name, class... Arguments>
    [[nodiscard]] task<result<T>> blocking(call_options options, const Name& name,
                                           const Arguments&... arguments) {
        resp::command_buffer command;
        command.add(name, arguments...);
        if (options.timeout == call_options::as_client) {
            options.timeout = duration::zero();
        }
        return detail::run_blocking<T>(shelf_, options, std::move(command));
    }

    // A reply in parts, as it arrives, on a connection of its own; see streaming.hpp.
    template <class Name, class... Arguments>
    [[nodiscard]] reply_stream stream(const Name& name, const Arguments&... arguments) {
        resp::command_buffer command;
        command.add(name, arguments...);
        return {shelf_, std::move(command)};
    }

    // A connection of one's own, see exclusive_client.hpp.
    [[nodiscard]] task<result<exclusive_client>> exclusive();

    // Connects, where it is not connected, by a PING: tells at once what is wrong with the options.
    [[nodiscard]] task<result<void>> connect();

    // Ends when the replies under way have come. No more commands: they fail with errc::closed.
    [[nodiscard]] task<> close();

    [[nodiscard]] const client_options& options() const noexcept { return core_->options(); }
    [[nodiscard]] bool is_connected() const noexcept { return core_->is_ready(); }
    // 3 or 2, as the server has agreed; 0 before the first connection.
    [[nodiscard]] int protocol() const noexcept { return core_->protocol(); }

  private:
    std::shared_ptr<detail::core_shelf> shelf_;
};

}  // namespace weir::redisq
