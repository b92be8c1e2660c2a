// Hash slots of Redis Cluster: which of 16,384 a key belongs to.
//
//     const std::string key = "{user:17}:cart";
//     report("slot " + std::to_string(weir::redisq::slot_of(key)));   // that of "user:17"
//
// A slot is CRC16 (XMODEM: polynomial 0x1021, from 0, not reflected) of the key's hash tag, modulo
// 16,384. The tag is what stands between the first '{' and the first '}' behind it, where that is
// not empty, else the whole key. Keys of one command have to share a slot, so give them a tag.
//
// Source: the specification of Redis Cluster,
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
// Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::redisq {

inline constexpr std::uint32_t slots_max = 16'384;

namespace detail {

inline constexpr std::array<std::uint16_t, 256> crc16_table = [] {
    std::array<std::uint16_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte << 8U;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U;
        }
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}();

}  // namespace detail

[[nodiscard]] constexpr std::uint16_t crc16(std::string_view bytes) noexcept {
    std::uint16_t crc = 0;
    for (const char byte : bytes) {
        const auto index = static_cast<std::uint8_t>((crc >> 8U) ^ static_cast<std::uint8_t>(byte));
        crc = static_cast<std::uint16_t>((crc << 8U) ^ detail::crc16_table[index]);
    }
    return crc;
}

// The part of the key that is hashed.
[[nodiscard]] constexpr std::string_view hash_tag(std::string_view key) noexcept {
    const std::size_t open = key.find('{');
    if (open == std::string_view::npos) {
        return key;
    }
    const std::size_t close = key.find('}', open + 1);
    if (close == std::string_view::npos || close == open + 1) {
        return key;
    }
    return key.substr(open + 1, close - open - 1);
}

[[nodiscard]] constexpr std::uint16_t slot_of(std::string_view key) noexcept {
    return static_cast<std::uint16_t>(crc16(hash_tag(key)) % slots_max);
}

}  // namespace weir::redisq
