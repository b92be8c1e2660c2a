// Counts what a thread takes from the heap through operator new, in this whole program.
#pragma once

#include <cstdint>

namespace million_tasks {

// How often the calling thread has called operator new so far.
[[nodiscard]] std::uint64_t thread_allocations() noexcept;

}  // namespace million_tasks
