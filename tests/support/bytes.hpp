// Text as the bytes that reads and writes take.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace weir::test {

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text));
}

[[nodiscard]] inline std::span<std::byte> space_of(std::string& text) noexcept {
    return std::as_writable_bytes(std::span(text));
}

}  // namespace weir::test
