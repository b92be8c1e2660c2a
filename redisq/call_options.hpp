// call_options: what a single call may have otherwise than its client.
//
//     using weir::redisq::idempotent;
//     const auto text = co_await redis.command<std::string>(idempotent.within(2s), "GET", key);
//
// Thread: any; a value.
#pragma once

#include "../runtime/clock.hpp"

namespace weir::redisq {

struct call_options {
    static constexpr duration as_client = duration::min();

    // As the client has it.
    constexpr call_options() noexcept = default;

    // Ends with errc::timed_out so long after the call; zero: never.
    [[nodiscard]] constexpr call_options within(duration limit) const noexcept {
        call_options changed = *this;
        changed.timeout = limit;
        return changed;
    }
    // May run twice, so it is repeated when the connection is lost before its reply.
    [[nodiscard]] constexpr call_options repeatable() const noexcept {
        call_options changed = *this;
        changed.idempotent = true;
        return changed;
    }

    duration timeout = as_client;
    bool idempotent = false;
};

// For a command that may run twice: GET, SET, EXPIREAT, but not INCR, LPUSH or SET with NX.
inline constexpr call_options idempotent = call_options().repeatable();

}  // namespace weir::redisq
