#include "traffic.hpp"

#include <algorithm>
#include <cstring>

namespace echo {
namespace {

// Longer pieces are compared only at their ends.
constexpr std::size_t whole_max = 256;
constexpr std::size_t end_bytes = 64;

}  // namespace

pattern::pattern(std::size_t span_max) : span_max_(span_max), text_(period + span_max) {
    std::uint32_t state = 0x9e3779b9;
    for (std::size_t index = 0; index < period; ++index) {
        state = state * 1664525 + 1013904223;
        text_[index] = static_cast<char>(state >> 24);
    }
    for (std::size_t index = period; index < text_.size(); ++index) {
        text_[index] = text_[index - period];
    }
}

bool pattern::matches(std::uint64_t offset, const char* bytes, std::size_t size) const {
    if (size <= whole_max) {
        return std::memcmp(at(offset), bytes, size) == 0;
    }
    return std::memcmp(at(offset), bytes, end_bytes) == 0 &&
           std::memcmp(at(offset + size - end_bytes), bytes + size - end_bytes, end_bytes) == 0;
}

void time_queue::grow() {
    const std::size_t count = size();
    std::vector<std::uint64_t> wider(std::max<std::size_t>(4, times_.size() * 2));
    for (std::size_t index = 0; index < count; ++index) {
        wider[index] = times_[(head_ + index) & (times_.size() - 1)];
    }
    times_.swap(wider);
    head_ = 0;
    tail_ = count;
}

}  // namespace echo
