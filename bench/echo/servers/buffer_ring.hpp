// Buffers that the kernel picks from as data comes, on liburing 2.3: registered by
// io_uring_register_buf_ring, put back one by one and handed over together.
#pragma once

#include <liburing.h>

#include <cstddef>

namespace echo {

class buffer_ring {
  public:
    // `count` is a power of two, at most 32,768. The kernel has none of the buffers yet: each is
    // given to it by put_back(). Throws std::system_error.
    buffer_ring(io_uring* of, unsigned count, std::size_t buffer_bytes);
    buffer_ring(const buffer_ring&) = delete;
    buffer_ring& operator=(const buffer_ring&) = delete;
    // The ring that it is registered with must not use it any more.
    ~buffer_ring();

    static constexpr int group = 0;

    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] char* at(unsigned id) const noexcept { return memory_ + id * stride_; }

    // Seen by the kernel from the next publish() on.
    void put_back(unsigned id) noexcept {
        io_uring_buf_ring_add(ring_, at(id), static_cast<unsigned>(buffer_bytes_),
                              static_cast<unsigned short>(id), io_uring_buf_ring_mask(count_),
                              static_cast<int>(pending_++));
    }
    void publish() noexcept {
        if (pending_ != 0) {
            io_uring_buf_ring_advance(ring_, static_cast<int>(pending_));
            pending_ = 0;
        }
    }

  private:
    unsigned count_;
    std::size_t buffer_bytes_;
    std::size_t stride_;
    io_uring_buf_ring* ring_ = nullptr;
    char* memory_ = nullptr;
    unsigned pending_ = 0;
};

}  // namespace echo
