// A send on its way to the kernel: its operation and the bytes that it sends.
//
// Lives in recycled memory from the first write to the end of the send; small messages stand in it,
// larger ones in a vector. Thread: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "../../frame_allocator.hpp"
#include "../../operation.hpp"

namespace weir::detail {

class sender;

class outgoing final : public recycled, public operation {
  public:
    explicit outgoing(sender& whose) noexcept : from(whose) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // What has not been sent.
    [[nodiscard]] std::span<const std::byte> rest() const noexcept {
        return std::span(large_.empty() ? small_.data() : large_.data(), size_).subspan(sent_);
    }
    [[nodiscard]] bool rest_is(std::int32_t count) const noexcept {
        return size_ - sent_ == static_cast<std::size_t>(count);
    }
    void advance(std::size_t count) noexcept { sent_ += count; }

    // Throws std::bad_alloc.
    void append(std::span<const std::byte> bytes) {
        if (large_.empty() && bytes.size() <= small_.size() - size_) {
            std::memcpy(small_.data() + size_, bytes.data(), bytes.size());
        } else {
            append_large(bytes);
        }
        size_ += bytes.size();
    }

    sender& from;
    std::int32_t zero_copy_outcome = 0;  // told before the notification

  private:
    void append_large(std::span<const std::byte> bytes);

    std::size_t size_ = 0;
    std::size_t sent_ = 0;
    std::vector<std::byte> large_;
    // Not initialised: only the first size_ bytes are read.
    std::array<std::byte, 856> small_;
};
static_assert(sizeof(outgoing) <= frame_size_max, "it is recycled");

}  // namespace weir::detail
