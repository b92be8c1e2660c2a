// transaction: commands that the server runs one behind the other, with nobody's in between, or
// not at all (MULTI and EXEC).
//
//     weir::redisq::transaction transfer;
//     transfer.add("DECRBY", "alice", 10);
//     transfer.add("INCRBY", "bob", 10);
//     const auto moved = co_await redis.execute(transfer);
//     if (moved) { report(moved->get<int>(1).value_or(0)); }
//
// The replies are those of the commands. When the server refuses to queue one (unknown, wrong
// number of arguments), nothing runs, and the error is exec_aborted with that command's text; one
// that fails while it runs is an error among the replies, and the others stand.
//
// For conditions on what is read before (WATCH), see exclusive_client: a watch belongs to a
// connection of one's own. There, watch_failed says that somebody was faster.
//
// Errors: those of resp/encoder.hpp are thrown by add().
// Source: https://redis.io/docs/latest/develop/using-commands/transactions/. Thread: one.
#pragma once

#include <cstddef>

#include "resp/encoder.hpp"

namespace weir::redisq {

class transaction {
  public:
    transaction() { clear(); }

    template <class Name, class... Arguments>
    transaction& add(const Name& name, const Arguments&... arguments) {
        commands_.add(name, arguments...);
        return *this;
    }

    // Commands, without MULTI and EXEC.
    [[nodiscard]] std::size_t size() const noexcept { return commands_.commands() - 1; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    // Keeps the memory.
    void clear() {
        commands_.clear();
        commands_.add(begin);
    }

    // MULTI and the commands.
    [[nodiscard]] const resp::command_buffer& commands() const noexcept { return commands_; }

    static constexpr resp::static_command<"MULTI"> begin{};
    static constexpr resp::static_command<"EXEC"> end{};

  private:
    resp::command_buffer commands_;
};

}  // namespace weir::redisq
