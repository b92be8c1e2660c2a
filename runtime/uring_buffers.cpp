#include "detail/uring_buffers.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "assert.hpp"

namespace weir::detail {

void uring_buffers::free_ring::operator()(io_uring_buf_ring* ring) const noexcept {
    std::free(ring);
}

result<std::uint16_t> uring_buffers::add(io_uring& ring, std::byte* memory, std::uint32_t count,
                                         std::uint32_t size) {
    constexpr std::size_t page = 4096;
    const auto free = std::find_if(groups_.begin(), groups_.end(),
                                   [](const buffer_group& one) { return one.ring == nullptr; });
    const auto number = static_cast<std::size_t>(free - groups_.begin());
    if (number > std::numeric_limits<std::uint16_t>::max()) {
        return std::unexpected(std::make_error_code(std::errc::no_buffer_space));
    }
    if (free == groups_.end()) {
        groups_.emplace_back();
    }
    buffer_group& group = groups_[number];
    const std::size_t bytes = (count * sizeof(io_uring_buf) + page - 1) / page * page;
    group.ring.reset(static_cast<io_uring_buf_ring*>(std::aligned_alloc(page, bytes)));
    if (group.ring == nullptr) {
        return std::unexpected(std::make_error_code(std::errc::not_enough_memory));
    }
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(group.ring.get());
    registration.ring_entries = count;
    registration.bgid = static_cast<std::uint16_t>(number);
    io_uring_buf_ring_init(group.ring.get());
    if (const int status = io_uring_register_buf_ring(&ring, &registration, 0); status < 0) {
        group.ring.reset();
        return std::unexpected(std::error_code(-status, std::system_category()));
    }
    group.memory = memory;
    group.count = count;
    group.size = size;
    return static_cast<std::uint16_t>(number);
}

void uring_buffers::remove(io_uring& ring, std::uint16_t group) noexcept {
    WEIR_ASSERT(group < groups_.size() && groups_[group].ring != nullptr,
                "a buffer group is removed once");
    io_uring_unregister_buf_ring(&ring, group);
    groups_[group].ring.reset();
}

}  // namespace weir::detail
