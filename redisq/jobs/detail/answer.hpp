// What a call to the server gave, as the jobs' API gives it on: the value, or an exception.
//
// Thread: any.
#pragma once

#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "../../../runtime/result.hpp"
#include "../../errors.hpp"
#include "../../resp/reply.hpp"

namespace weir::redisq::detail {

// Throws redisq::exception, or weir::canceled where the task was stopped.
template <class T>
T answer_of(result<T> outcome) {
    if (!outcome) {
        if (outcome.error().code() == std::errc::operation_canceled) {
            throw canceled();
        }
        throw exception(outcome.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*outcome);
    }
}

// The same, where a missing group or key means none.
inline std::optional<resp::reply> answer_unless_missing(result<resp::reply> outcome) {
    if (!outcome && outcome.error().code() == errc::no_group) {
        return std::nullopt;
    }
    return answer_of(std::move(outcome));
}

}  // namespace weir::redisq::detail
