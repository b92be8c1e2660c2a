#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "../assert.hpp"
#include "detail/line_buffer.hpp"
#include "errors.hpp"

namespace weir::detail {
namespace {

constexpr std::size_t first_size = 4096;

// A line's end: "\r\n".
constexpr std::size_t end_max = 2;

}  // namespace

line_buffer::line_buffer(std::size_t line_max) : line_max_(line_max) {
    if (line_max == 0 || line_max > line_max_allowed) {
        throw std::invalid_argument("line_reader: line_max is " + std::to_string(line_max) +
                                    "; allowed: 1 to " + std::to_string(line_max_allowed));
    }
}

std::error_code line_buffer::fail() noexcept {
    failed_ = true;
    return make_error_code(file_errc::line_too_long);
}

result<std::optional<std::string_view>> line_buffer::cut(std::size_t length,
                                                         std::size_t end_length) {
    if (length > line_max_) {
        return std::unexpected(fail());
    }
    const std::string_view line(memory_.data() + begin_, length);
    begin_ += length + end_length;
    scanned_ = begin_;
    ++line_count_;
    return line;
}

result<std::optional<std::string_view>> line_buffer::take() {
    if (failed_) {
        return std::unexpected(fail());
    }
    const char* const from = memory_.data() + scanned_;
    if (const void* const found =
            end_ == scanned_ ? nullptr : std::memchr(from, '\n', end_ - scanned_)) {
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - memory_.data());
        const bool two = at > begin_ && memory_[at - 1] == '\r';
        return cut(at - begin_ - (two ? 1U : 0U), two ? 2 : 1);
    }
    scanned_ = end_;
    const std::size_t held = end_ - begin_;
    if (ended_ && held != 0) {
        return cut(held, 0);
    }
    // A '\r' at the end may be the first byte of the line's end.
    const bool open_end = held != 0 && memory_[end_ - 1] == '\r';
    if (held - (open_end ? 1U : 0U) > line_max_) {
        return std::unexpected(fail());
    }
    return std::nullopt;
}

std::span<std::byte> line_buffer::free_space() {
    if (begin_ != 0) {
        std::memmove(memory_.data(), memory_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        scanned_ -= begin_;
        begin_ = 0;
    }
    if (end_ == memory_.size()) {
        const std::size_t wanted = std::max(first_size, 2 * memory_.size());
        memory_.resize(std::min(wanted, line_max_ + end_max));
    }
    WEIR_ASSERT(end_ < memory_.size(), "a line within its limit leaves room for its end");
    return std::as_writable_bytes(std::span(memory_)).subspan(end_);
}

void line_buffer::add(std::size_t count) noexcept {
    WEIR_ASSERT(count <= memory_.size() - end_, "a source fills at most what it was given");
    end_ += count;
    ended_ = count == 0;
}

std::string line_buffer::error_text(const std::error_code& error) const {
    const std::string line = "line " + std::to_string(line_count_ + 1);
    if (error == file_errc::line_too_long) {
        return line + " is longer than line_max, " + std::to_string(line_max_) + " bytes";
    }
    return line + ": " + error.message();
}

}  // namespace weir::detail
