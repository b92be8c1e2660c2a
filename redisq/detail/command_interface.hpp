// What one can ask of a connection: the calls that client, exclusive_client and the clients of
// clusters and pools have in common.
#pragma once

#include <concepts>
#include <utility>

#include "../call_options.hpp"
#include "../script.hpp"
#include "command_awaiter.hpp"
#include "pipeline_awaiter.hpp"
#include "script_awaiter.hpp"
#include "transaction_awaiter.hpp"

namespace weir::redisq::detail {

class command_interface {
  public:
    // One command; its reply becomes a T, see resp/decode.hpp. An error reply is an error. Views of
    // text are refused: the reply is gone when the caller goes on.
    template <class T, class Name, class... Arguments>
        requires(!std::same_as<Name, call_options>)
    [[nodiscard]] command_awaiter<T, Name, Arguments...> command(
        const Name& name, const Arguments&... arguments) noexcept {
        return {*core_, call_options(), name, arguments...};
    }

    // The same with options of its own, such as `idempotent`.
    template <class T, class Name, class... Arguments>
    [[nodiscard]] command_awaiter<T, Name, Arguments...> command(
        call_options options, const Name& name, const Arguments&... arguments) noexcept {
        return {*core_, options, name, arguments...};
    }

    // All commands of a pipeline (pipeline.hpp), which outlives the await and is not changed
    // meanwhile; an error reply is one of the replies. Idempotent: all of it is repeated.
    [[nodiscard]] pipeline_awaiter execute(const pipeline& commands,
                                           call_options options = call_options()) noexcept {
        return {*core_, options, commands};
    }
    // The same into replies of the caller's, whose memory is used again.
    [[nodiscard]] pipeline_into_awaiter execute(const pipeline& commands, replies& into,
                                                call_options options = call_options()) noexcept {
        return {*core_, options, commands, into};
    }

    // All commands of a transaction (transaction.hpp), under the same conditions.
    [[nodiscard]] transaction_awaiter execute(const transaction& commands,
                                              call_options options = call_options()) noexcept {
        return {*core_, options, commands};
    }

    // A script (script.hpp) with its keys and arguments; the script outlives the await.
    template <class T, class... Keys, class... Arguments>
    [[nodiscard]] script_awaiter<T, key_list<Keys...>, Arguments...> run(
        const script& what, const key_list<Keys...>& keys, const Arguments&... arguments) noexcept {
        return {*core_, call_options(), what, keys, arguments...};
    }
    template <class T, class... Keys, class... Arguments>
    [[nodiscard]] script_awaiter<T, key_list<Keys...>, Arguments...> run(
        call_options options, const script& what, const key_list<Keys...>& keys,
        const Arguments&... arguments) noexcept {
        return {*core_, options, what, keys, arguments...};
    }

    // For the library.
    [[nodiscard]] client_core& core() const noexcept { return *core_; }

  protected:
    command_interface() noexcept = default;
    explicit command_interface(client_handle core) noexcept : core_(std::move(core)) {}
    ~command_interface() = default;
    command_interface(command_interface&&) noexcept = default;
    command_interface& operator=(command_interface&&) noexcept = default;

    client_handle core_;
};

}  // namespace weir::redisq::detail
