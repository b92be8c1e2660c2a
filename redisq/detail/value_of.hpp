// From a reply to a value of C++, or to the error that a caller sees.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "../errors.hpp"
#include "../resp/decode.hpp"

namespace weir::redisq::detail {

[[nodiscard]] error wrong_reply(const resp::decode_error& why);

// What a reply is to its caller.
template <class T>
[[nodiscard]] result<T> value_of(const resp::reply_view& reply) {
    if (reply.is_error()) [[unlikely]] {
        return std::unexpected(server_reply_error(reply.text()));
    }
    auto value = resp::decode<T>(reply);
    if (!value) [[unlikely]] {
        return std::unexpected(wrong_reply(value.error()));
    }
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return std::move(*value);
    }
}

}  // namespace weir::redisq::detail
