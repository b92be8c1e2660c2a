// file_cursor: reads or writes a file from front to back, for what takes a stream of bytes.
//
//     weir::file_cursor from(*opened);
//     weir::line_reader lines(from, 4096);   // or anything else that calls read_some
//
// The position is the cursor's own: cursors of one file do not disturb each other. An operation
// that fails leaves it where it was.
//
// Errors: those of file.hpp. Lifetime: the file outlives the cursor, the cursor its awaits.
// Thread: the loop's; one operation at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "file.hpp"

namespace weir {

class file_cursor {
  public:
    explicit file_cursor(const file& target, std::uint64_t position = 0) noexcept
        : target_(&target), position_(position) {}

    class read_awaiter;
    // Reads at most into.size() bytes; 0 at the end of the file.
    [[nodiscard]] read_awaiter read_some(std::span<std::byte> into) noexcept;

    // Writes all bytes. ref: the caller's memory outlives the await.
    [[nodiscard]] task<result<void>> write_all(std::span<const std::byte> bytes) {
        const result<void> done = co_await target_->write_at(bytes, position_);
        if (done) {
            position_ += bytes.size();
        }
        co_return done;
    }

    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    void seek(std::uint64_t position) noexcept { position_ = position; }

  private:
    const file* target_;
    std::uint64_t position_;
};

class [[nodiscard]] file_cursor::read_awaiter : public detail::count_awaiter {
  public:
    read_awaiter(file_cursor& cursor, std::span<std::byte> into) noexcept
        : count_awaiter(detail::read_request(cursor.target_->fd(), into,
                                             detail::checked_offset(cursor.position_))),
          cursor_(cursor) {}

    result<std::size_t> await_resume() const noexcept {
        const result<std::size_t> count = count_awaiter::await_resume();
        cursor_.position_ += count.value_or(0);
        return count;
    }

  private:
    file_cursor& cursor_;
};

inline file_cursor::read_awaiter file_cursor::read_some(std::span<std::byte> into) noexcept {
    return {*this, into};
}

}  // namespace weir
