#include "sha1.hpp"

#include <bit>
#include <cstdint>
#include <string>

namespace weir::redisq::detail {
namespace {

using state = std::array<std::uint32_t, 5>;
constexpr std::size_t block_size = 64;

struct round_rule {
    std::uint32_t mixed;
    std::uint32_t constant;
};

round_rule rule_of(int round, std::uint32_t b, std::uint32_t c, std::uint32_t d) noexcept {
    if (round < 20) {
        return {(b & c) | (~b & d), 0x5a827999U};
    }
    if (round < 40) {
        return {b ^ c ^ d, 0x6ed9eba1U};
    }
    if (round < 60) {
        return {(b & c) | (b & d) | (c & d), 0x8f1bbcdcU};
    }
    return {b ^ c ^ d, 0xca62c1d6U};
}

void add_block(state& sums, const char* block) noexcept {
    std::array<std::uint32_t, 80> schedule{};
    for (std::size_t word = 0; word < 16; ++word) {
        for (std::size_t byte = 0; byte < 4; ++byte) {
            schedule[word] =
                schedule[word] << 8U | static_cast<unsigned char>(block[4 * word + byte]);
        }
    }
    for (std::size_t word = 16; word < 80; ++word) {
        schedule[word] = std::rotl(
            schedule[word - 3] ^ schedule[word - 8] ^ schedule[word - 14] ^ schedule[word - 16], 1);
    }
    auto [a, b, c, d, e] = sums;
    for (int round = 0; round < 80; ++round) {
        const round_rule rule = rule_of(round, b, c, d);
        const std::uint32_t next = std::rotl(a, 5) + rule.mixed + e + rule.constant +
                                   schedule[static_cast<std::size_t>(round)];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    sums[0] += a;
    sums[1] += b;
    sums[2] += c;
    sums[3] += d;
    sums[4] += e;
}

}  // namespace

std::array<char, 40> sha1_hex(std::string_view text) {
    state sums = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    while (text.size() >= block_size) {
        add_block(sums, text.data());
        text.remove_prefix(block_size);
    }
    std::string last(text);
    last += '\x80';
    last.resize(last.size() <= block_size - 8 ? block_size - 8 : 2 * block_size - 8);
    for (int shift = 56; shift >= 0; shift -= 8) {
        last += static_cast<char>(bits >> static_cast<unsigned>(shift) & 0xffU);
    }
    for (std::size_t at = 0; at < last.size(); at += block_size) {
        add_block(sums, last.data() + at);
    }
    std::array<char, 40> digits{};
    std::size_t out = 0;
    for (const std::uint32_t sum : sums) {
        for (int shift = 28; shift >= 0; shift -= 4) {
            digits[out++] = "0123456789abcdef"[sum >> static_cast<unsigned>(shift) & 0xfU];
        }
    }
    return digits;
}

}  // namespace weir::redisq::detail
