// Cuts bytes into lines; does no I/O. The core of line_reader.
//
// States, and what moves them: open -> ended (add(0)); either -> failed (take() met a line over the
// limit). In `failed`, take() yields its error for ever.
// Invariants: begin_ <= scanned_ <= end_ <= size of the memory; [begin_, scanned_) holds no '\n'.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../../result.hpp"

namespace weir::detail {

class line_buffer {
  public:
    // Throws std::invalid_argument for a limit out of 1 to line_max_allowed.
    explicit line_buffer(std::size_t line_max);

    static constexpr std::size_t line_max_allowed = std::size_t{1} << 30;

    // The next line that is there in full, or at the end of the stream what is left; empty where
    // there is none. Valid until free_space().
    [[nodiscard]] result<std::optional<std::string_view>> take();

    // Room for one byte or more. Requires that take() yielded nothing just now.
    [[nodiscard]] std::span<std::byte> free_space();

    // `count` bytes of it were filled; 0 says that the stream has ended.
    void add(std::size_t count) noexcept;

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] std::uint64_t line_count() const noexcept { return line_count_; }
    [[nodiscard]] std::size_t line_max() const noexcept { return line_max_; }
    [[nodiscard]] std::string error_text(const std::error_code& error) const;

  private:
    [[nodiscard]] result<std::optional<std::string_view>> cut(std::size_t length,
                                                              std::size_t end_length);
    [[nodiscard]] std::error_code fail() noexcept;

    std::size_t line_max_;
    std::vector<char> memory_;
    std::size_t begin_ = 0;    // of the next line
    std::size_t scanned_ = 0;  // before this, no '\n'
    std::size_t end_ = 0;      // of what was read
    std::uint64_t line_count_ = 0;
    bool ended_ = false;
    bool failed_ = false;
};

}  // namespace weir::detail
