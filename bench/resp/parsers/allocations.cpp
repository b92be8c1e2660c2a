// Counts calls of malloc, calloc and realloc from this program and from the static libraries in it:
// the linker leads them here (--wrap). operator new comes by here too.
#include <atomic>
#include <cstdlib>
#include <new>

#include "parser.hpp"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): memory is managed by hand here
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the linker's names
namespace {

constinit std::atomic<std::uint64_t> allocations = 0;

void count() noexcept {
    allocations.store(allocations.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void* or_throw(void* memory) {
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }
    return memory;
}

}  // namespace

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);

void* __wrap_malloc(std::size_t size) {
    count();
    return __real_malloc(size);
}

void* __wrap_calloc(std::size_t number, std::size_t size) {
    count();
    return __real_calloc(number, size);
}

void* __wrap_realloc(void* memory, std::size_t size) {
    count();
    return __real_realloc(memory, size);
}
}

// The array forms of the standard library call these, and the sized forms of delete the unsized.
void* operator new(std::size_t size) { return or_throw(std::malloc(size == 0 ? 1 : size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto step = static_cast<std::size_t>(alignment);
    count();
    return or_throw(std::aligned_alloc(step, (size + step - 1) / step * step));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
// NOLINTEND(cppcoreguidelines-no-malloc)

std::uint64_t resp::allocation_count() noexcept {
    return allocations.load(std::memory_order_relaxed);
}
