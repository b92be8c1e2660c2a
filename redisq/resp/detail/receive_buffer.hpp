// Bytes as they were received, in one block: the kernel writes them behind end(), the parser gives
// them up from begin().
//
// Invariants: a byte that stops every scan, '\n', stands at *end(). The block is at most twice as
// large as what it had to hold at once, or bytes_min; after a peak it shrinks again.
// Lifetime: pointers into it hold until the next prepare() or hand_over(). Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weir::redisq::resp::detail {

class receive_buffer {
  public:
    static constexpr std::size_t bytes_min = std::size_t{16} << 10;

    [[nodiscard]] const char* begin() const noexcept { return block_.get() + first_; }
    [[nodiscard]] const char* end() const noexcept { return block_.get() + last_; }
    [[nodiscard]] std::size_t size() const noexcept { return last_ - first_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    // Room for `at_least` bytes or more, 1 at the least. `missing` is what the bytes that are here
    // lack; it counts as far as it does not exceed them. Throws std::bad_alloc, and nothing is
    // lost.
    std::span<std::byte> prepare(std::size_t at_least, std::size_t missing);
    // The first `count` bytes of the room are written.
    void commit(std::size_t count) noexcept;

    // Gives up the first `count` bytes.
    void drop(std::size_t count) noexcept { first_ += count; }
    void clear() noexcept { first_ = last_ = 0; }

    // Whether hand_over() of so many bytes saves more than it wastes.
    [[nodiscard]] bool worth_handing_over(std::size_t count) const noexcept {
        return count >= bytes_min && count >= capacity_ / 2;
    }
    // Gives away the block, and with it the first `count` bytes, which begin at the begin() of
    // before. The bytes behind them move to a new block; throws std::bad_alloc, and nothing is
    // lost.
    std::unique_ptr<char[]> hand_over(std::size_t count);

  private:
    static constexpr unsigned shrink_rounds = 256;

    [[nodiscard]] static std::unique_ptr<char[]> make_block(std::size_t capacity);
    // `block` may be null where nothing is to be moved.
    void move_to(std::unique_ptr<char[]> block, std::size_t capacity,
                 std::unique_ptr<char[]>& left) noexcept;
    void restart();

    std::unique_ptr<char[]> block_;
    std::size_t capacity_ = 0;  // the block has one more, for the stop
    std::size_t first_ = 0;
    std::size_t last_ = 0;
    std::size_t capacity_wanted_ = bytes_min;  // of the next block
    std::size_t peak_ = 0;                     // of last_, in this round of rounds
    unsigned rounds_ = 0;                      // how often the buffer was found empty
};

}  // namespace weir::redisq::resp::detail
