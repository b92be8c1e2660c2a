// What the user_data of a ring's requests say: which entry of the table of operations, and which of
// its generations; or that the request is the driver's own.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::detail {

// Indices that no operation has: completions of the driver's own requests.
inline constexpr std::uint64_t wake_tag = UINT32_MAX;
inline constexpr std::uint64_t cancel_tag = UINT32_MAX - 1;
inline constexpr std::uint32_t no_entry = UINT32_MAX;

// Completions that are copied out of the ring at a time.
inline constexpr std::size_t reap_batch = 64;

constexpr std::uint64_t tag_of(std::uint32_t index, std::uint32_t generation) noexcept {
    return (std::uint64_t{generation} << 32) | index;
}

}  // namespace weir::detail
