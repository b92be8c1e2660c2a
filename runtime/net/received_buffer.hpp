// Bytes that have arrived from a socket, in a buffer of the loop that is owned while they are read.
//
//     auto part = co_await peer.receive();
//     while (part && *part) {
//         count += part->bytes().size();
//         part = co_await peer.receive();
//     }
//
// The buffer goes back to the loop when this is destroyed: hold few of them, and not for long. One
// connection may hold an eighth of the loop's buffers (event_loop_options::receive_buffers).
//
// Lifetime: destroyed before the loop; the connection may go earlier. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weir {

namespace detail {
class receiver;
}

class received_buffer {
  public:
    // No bytes: the end of the stream.
    received_buffer() noexcept = default;
    received_buffer(received_buffer&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)),
          bytes_(std::exchange(other.bytes_, {})),
          buffer_(other.buffer_) {}
    received_buffer& operator=(received_buffer&& other) noexcept {
        if (this != &other) {
            reset();
            from_ = std::exchange(other.from_, nullptr);
            bytes_ = std::exchange(other.bytes_, {});
            buffer_ = other.buffer_;
        }
        return *this;
    }
    ~received_buffer() { reset(); }

    // Whether there are bytes.
    [[nodiscard]] explicit operator bool() const noexcept { return !bytes_.empty(); }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

    // Gives the buffer back.
    void reset() noexcept {
        if (from_ != nullptr) {
            give_back();
        }
    }

  private:
    friend class socket_stream;

    received_buffer(detail::receiver& from, std::span<std::byte> bytes,
                    std::uint16_t buffer) noexcept
        : from_(&from), bytes_(bytes), buffer_(buffer) {}

    void give_back() noexcept;

    detail::receiver* from_ = nullptr;
    std::span<std::byte> bytes_;
    std::uint16_t buffer_ = 0;
};

}  // namespace weir
