// pipeline: commands that leave together, and come back as one result.
//
//     weir::redisq::pipeline visit;
//     visit.add("INCR", "visits");
//     visit.add("EXPIRE", "visits", 3600);
//     const auto answers = co_await redis.execute(visit);
//     if (answers) { report(answers->get<int>(0).value_or(0)); }
//
// The commands are encoded as they are added, so executing a pipeline again copies bytes and does
// no more. They reach the server one behind the other, but others' may run in between: that is a
// transaction's business (transaction.hpp).
//
// Errors: those of resp/encoder.hpp are thrown by add(). Thread: one.
#pragma once

#include <cstddef>
#include <span>

#include "resp/encoder.hpp"

namespace weir::redisq {

class pipeline {
  public:
    pipeline() = default;

    template <class Name, class... Arguments>
    pipeline& add(const Name& name, const Arguments&... arguments) {
        commands_.add(name, arguments...);
        return *this;
    }

    // For the library: what is encoded already.
    void add_raw(std::span<const std::byte> encoded, std::size_t commands) {
        commands_.add_raw(encoded, commands);
    }

    // Commands; each has one reply.
    [[nodiscard]] std::size_t size() const noexcept { return commands_.commands(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return commands_.size(); }

    // Keeps the memory.
    void clear() noexcept { commands_.clear(); }

    [[nodiscard]] const resp::command_buffer& commands() const noexcept { return commands_; }

  private:
    resp::command_buffer commands_;
};

}  // namespace weir::redisq
