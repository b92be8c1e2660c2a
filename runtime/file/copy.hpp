// copy_range: bytes from one file to another, inside the kernel where it can.
//
//     weir::result<std::uint64_t> copied = co_await weir::copy_range(*from, 0, *to, 0, piece);
//     if (copied && *copied < piece) { report("that was the whole file"); }
//
// Uses copy_file_range(2), which shares blocks where the file system can and else copies within the
// page cache; where it is refused (two file systems of different kinds, /proc), reads and writes.
// The call runs on the offload pool in steps of at most copy_step bytes.
//
// Errors: those of read(2), write(2) and copy_file_range(2); std::errc::operation_canceled when the
// task was stopped, at the end of the step that is under way. After an error a part may be copied.
// Lifetime: both files outlive the await. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "file.hpp"

namespace weir {

inline constexpr std::size_t copy_step = std::size_t{16} << 20;

// Copies `length` bytes, or what is left of `from` if that is less; returns how many. The ranges do
// not overlap where both are the same file. ref: see Lifetime.
[[nodiscard]] task<result<std::uint64_t>> copy_range(const file& from, std::uint64_t from_offset,
                                                     const file& to, std::uint64_t to_offset,
                                                     std::uint64_t length);

}  // namespace weir
