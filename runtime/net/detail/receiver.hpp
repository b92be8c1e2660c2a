// What a socket has received and nobody has taken yet, and the multishot receive behind it.
//
// States of the receive:
//   idle      nothing is asked of the kernel
//   watching  a poll is in flight, that ends when there are bytes: where a receive needs a buffer
//             before it starts, and where none is free
//   starved   there are bytes and no buffer: goes on when one comes back
//   armed     the receive is in flight; chunks arrive in completion()
// It is armed when somebody waits for bytes, and stays so until it ends by itself or this receiver
// holds its share of the buffers (credit): then it is canceled, and armed again when somebody has
// taken all and waits for more. What arrives meanwhile is kept: no byte is dropped.
//
// Only who has bytes to receive waits for a buffer, so that one that comes back is used at once,
// and not kept for a connection that is silent. A reader with memory of its own waits for none.
//
// Lifetime: counts who needs it (the socket, each received_buffer, the operation in flight) and
// frees itself. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "../../frame_allocator.hpp"
#include "receive_pool.hpp"

namespace weir::detail {

class receiver final : public recycled, private operation, private orphan, private buffer_waiter {
  public:
    receiver(receive_pool& pool, int fd) noexcept;

    struct chunk {
        std::uint16_t buffer;
        std::uint32_t begin;  // of what is left in it
        std::uint32_t end;
    };

    [[nodiscard]] bool has_bytes() const noexcept { return first_ != none; }
    // 0 for the end of the stream, an errno, or nothing while more may come. Chunks go first.
    [[nodiscard]] std::optional<int> ended() const noexcept { return ended_; }
    [[nodiscard]] bool is_active() const noexcept {
        return has_bytes() || ended_ || state_ == receive_state::armed;
    }

    // Whoever reads has all the buffers that one socket may have: more do not come before some are
    // given back.
    [[nodiscard]] bool over_credit() const noexcept { return held_ >= credit_; }

    // Wakes `reader` when there are bytes or the end has come. One at a time. Where no buffer is to
    // be had, calls `instead` with it, unless null: then it waits here no longer, and nothing is
    // received by this object before the next wait().
    void wait(waiter& reader, void (*instead)(waiter&) noexcept) noexcept;
    void stop_waiting() noexcept;

    // The first chunk; the caller gives it back. Requires has_bytes().
    [[nodiscard]] chunk take() noexcept;
    // Copies from the chunks; returns the count. Requires has_bytes().
    std::size_t copy(std::span<std::byte> into) noexcept;

    [[nodiscard]] std::span<std::byte> bytes(std::uint16_t buffer) noexcept {
        return pool_.bytes(buffer);
    }
    void give_back(std::uint16_t buffer) noexcept;
    void retain() noexcept { ++references_; }
    void release() noexcept;

    // The socket goes: what is queued is given back, the operation ends, nobody is woken any more.
    void abandon() noexcept;

  private:
    enum class receive_state : std::uint8_t { idle, watching, starved, armed };
    static constexpr std::uint32_t none = UINT32_MAX;

    ~receiver() = default;

    void want() noexcept;
    void start(receive_state next) noexcept;
    void watch() noexcept;
    void arm() noexcept;
    bool turn_away() noexcept;
    static void on_completion(operation& op) noexcept;
    void completion() noexcept;
    void watched() noexcept;
    void arrived(std::uint16_t buffer, std::uint32_t size) noexcept;
    void append(std::uint16_t buffer, std::uint32_t size) noexcept;
    void ended_with(std::int32_t outcome) noexcept;
    void tell_reader() noexcept;
    bool buffer_is_free() noexcept override;
    void give_up() noexcept override;

    receive_pool& pool_;
    waiter* reader_ = nullptr;
    void (*instead_)(waiter&) noexcept = nullptr;  // of a buffer, for the reader
    std::uint32_t first_ = none;
    std::uint32_t last_ = none;
    std::uint32_t first_begin_ = 0;  // bytes of the first chunk that were copied out
    std::uint32_t held_ = 0;         // buffers: queued, and in the hands of users
    std::uint32_t credit_;
    std::uint32_t references_ = 1;
    std::optional<int> ended_;
    receive_state state_ = receive_state::idle;
    bool must_watch_;           // before the next receive
    bool has_watched_ = false;  // there are bytes
    bool abandoned_ = false;
};

}  // namespace weir::detail
