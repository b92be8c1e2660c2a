// Numbers in replies, which come as integers, as doubles or as text.
//
// Thread: any.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "../../resp/reply_view.hpp"

namespace weir::redisq::detail {

// 0 where it is none.
inline std::uint64_t number_of(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return static_cast<std::uint64_t>(value);
}

inline std::uint64_t number_of(const resp::reply_view& view) {
    if (view.kind() == resp::type::integer) {
        return static_cast<std::uint64_t>(view.integer());
    }
    if (view.kind() == resp::type::floating) {
        return static_cast<std::uint64_t>(view.floating());
    }
    return number_of(view.text());
}

}  // namespace weir::redisq::detail
