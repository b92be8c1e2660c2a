// SHA-1 (RFC 3174), by which Redis names scripts. Not for anything that has to be secure.
#pragma once

#include <array>
#include <string_view>

namespace weir::redisq::detail {

// In lower-case hexadecimal digits.
[[nodiscard]] std::array<char, 40> sha1_hex(std::string_view text);

}  // namespace weir::redisq::detail
