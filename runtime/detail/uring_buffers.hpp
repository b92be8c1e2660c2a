// Groups of receive buffers that a ring hands out by itself (io_uring_register_buf_ring(3)).
//
// A group's descriptors stand in a page-aligned ring that the kernel reads; the buffers are the
// caller's. Minimum kernel 5.19. Thread: the loop's.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../result.hpp"

namespace weir::detail {

class uring_buffers {
  public:
    // See driver::add_buffer_group.
    [[nodiscard]] result<std::uint16_t> add(io_uring& ring, std::byte* memory, std::uint32_t count,
                                            std::uint32_t size);
    void remove(io_uring& ring, std::uint16_t group) noexcept;

    void provide(std::uint16_t group, std::uint16_t buffer) noexcept {
        const buffer_group& to = groups_[group];
        io_uring_buf_ring_add(to.ring.get(), to.memory + std::size_t{buffer} * to.size, to.size,
                              buffer, static_cast<int>(to.count) - 1, 0);
        io_uring_buf_ring_advance(to.ring.get(), 1);
    }

  private:
    struct free_ring {
        void operator()(io_uring_buf_ring* ring) const noexcept;
    };
    struct buffer_group {
        std::unique_ptr<io_uring_buf_ring, free_ring> ring;  // null: the number is free
        std::byte* memory = nullptr;
        std::uint32_t count = 0;
        std::uint32_t size = 0;
    };

    std::vector<buffer_group> groups_;
};

}  // namespace weir::detail
