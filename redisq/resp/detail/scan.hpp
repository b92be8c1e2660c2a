// How bytes of RESP are looked through. All of it relies on the '\n' that stands behind the last
// byte that was received (receive_buffer): no loop looks for the end.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weir::redisq::resp::detail {

[[nodiscard]] inline bool is_line_end(const char* at) noexcept {
    return at[0] == '\r' && at[1] == '\n';
}

[[nodiscard]] inline unsigned digit_at(const char* at) noexcept {
    return static_cast<unsigned char>(*at) - static_cast<unsigned>('0');
}

// The first CR or LF from `at` on. Eight bytes at a time, as long as so many are there.
[[nodiscard]] inline const char* find_line_end(const char* at, const char* end) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof(word));
        const std::uint64_t cr = word ^ ones * '\r';
        const std::uint64_t lf = word ^ ones * '\n';
        if (((((cr - ones) & ~cr) | ((lf - ones) & ~lf)) & highs) != 0) {
            break;
        }
        at += 8;
    }
    while (*at != '\r' && *at != '\n') {
        ++at;
    }
    return at;
}

// The number at `at` and what stands behind it; at most ten digits, without a needless zero. False
// where that is not all there is: the slow path tells why.
[[nodiscard]] inline bool read_short_number(const char*& at, std::uint64_t& number) noexcept {
    const char* p = at;
    unsigned digit = digit_at(p);
    if (digit > 9) {
        return false;
    }
    number = digit;
    while ((digit = digit_at(++p)) <= 9) {
        number = number * 10 + digit;
    }
    if (p - at > 1 && (p - at > 10 || *at == '0')) {
        return false;
    }
    at = p;
    return true;
}

}  // namespace weir::redisq::resp::detail
