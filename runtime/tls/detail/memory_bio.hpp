// The two ends of a connection in memory, as OpenSSL's BIO. OpenSSL's own memory BIO keeps the
// largest size it ever had for as long as the connection lives, and copies once more.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "openssl.hpp"

namespace weir::detail {

// Invariant: begin <= end <= size; the bytes between begin and end were received and not read.
struct wire_input {
    explicit wire_input(std::size_t capacity) : memory(new std::byte[capacity]), size(capacity) {}

    [[nodiscard]] std::span<std::byte> space() noexcept {
        if (begin == end) {
            begin = end = 0;
        }
        return {memory.get() + end, size - end};
    }

    std::unique_ptr<std::byte[]> memory;
    std::size_t size;
    std::size_t begin = 0;
    std::size_t end = 0;
};

// A BIO that reads from `input`, which outlives it, and asks for a retry when that is empty. Null
// when memory is short.
[[nodiscard]] bio_owner make_reading_bio(wire_input& input);

// A BIO that appends to `output`, which outlives it. A write fails when memory is short.
[[nodiscard]] bio_owner make_writing_bio(std::vector<std::byte>& output);

}  // namespace weir::detail
