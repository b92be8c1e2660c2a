// From a reply to a value of C++, or to the error that a caller sees.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "../errors.hpp"
#include "../resp/decode.hpp"

namespace weir::redisq::detail {

[[nodiscard]] error wrong_reply(const resp::decode_error& why);

// What a reply is to its caller, into a result that is fresh.
template <class T>
void read_value(const resp::reply_view& reply, result<T>& out) {
    if (reply.is_error()) [[unlikely]] {
        out = std::unexpected(server_reply_error(reply.text()));
    } else if constexpr (!std::is_void_v<T>) {
        resp::decode_error why;
        if (!resp::decode_into(reply, *out, why)) [[unlikely]] {
            out = std::unexpected(wrong_reply(why));
        }
    }
}

template <class T>
[[nodiscard]] result<T> value_of(const resp::reply_view& reply) {
    result<T> out;
    read_value(reply, out);
    return out;
}

}  // namespace weir::redisq::detail
