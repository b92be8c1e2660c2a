#include "buffer_ring.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace echo {
namespace {

// Buffers of a power of two would all start in the same set of a cache; three lines more each
// spreads them.
constexpr std::size_t spread_bytes = 192;

void* map(std::size_t size) {
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "mapping the buffers");
    }
    return memory;
}

}  // namespace

buffer_ring::buffer_ring(io_uring* of, unsigned count, std::size_t buffer_bytes)
    : count_(count), buffer_bytes_(buffer_bytes), stride_(buffer_bytes + spread_bytes) {
    ring_ = static_cast<io_uring_buf_ring*>(map(count_ * sizeof(io_uring_buf)));
    memory_ = static_cast<char*>(map(count_ * stride_));
    io_uring_buf_ring_init(ring_);
    io_uring_buf_reg what{};
    what.ring_addr = reinterpret_cast<std::uintptr_t>(ring_);
    what.ring_entries = count_;
    what.bgid = group;
    if (const int error = io_uring_register_buf_ring(of, &what, 0); error < 0) {
        throw std::system_error(-error, std::generic_category(), "registering the buffers");
    }
}

buffer_ring::~buffer_ring() {
    munmap(memory_, count_ * stride_);
    munmap(ring_, count_ * sizeof(io_uring_buf));
}

}  // namespace echo
