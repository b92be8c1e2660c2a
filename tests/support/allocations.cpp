#include "support/allocations.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

#include <weir/runtime/frame_allocator.hpp>

namespace weir::test {
namespace {

constexpr std::uint64_t never = UINT64_MAX;

struct thread_counts {
    std::size_t allocations = 0;
    std::size_t frees = 0;
    std::size_t bytes = 0;
    std::uint64_t until_failure = never;
    bool failed = false;
};

constinit thread_local thread_counts counts;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    if (counts.until_failure != never && counts.until_failure-- == 0) {
        counts.until_failure = never;
        counts.failed = true;
        return nullptr;
    }
    ++counts.allocations;
    counts.bytes += size;
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
        return std::malloc(size != 0 ? size : 1);
    }
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    void* const memory = allocate(size, alignment);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void release(void* memory) noexcept {
    if (memory != nullptr) {
        ++counts.frees;
        std::free(memory);
    }
}

}  // namespace

std::size_t allocation_counter::allocations() const noexcept {
    return counts.allocations - allocations_at_start_;
}

std::size_t allocation_counter::frees() const noexcept { return counts.frees - frees_at_start_; }

std::size_t allocation_counter::bytes() const noexcept { return counts.bytes - bytes_at_start_; }

void allocation_counter::reset() noexcept {
    allocations_at_start_ = counts.allocations;
    frees_at_start_ = counts.frees;
    bytes_at_start_ = counts.bytes;
}

allocation_failure::allocation_failure(std::size_t after) noexcept {
    counts.until_failure = after;
    counts.failed = false;
}

allocation_failure::~allocation_failure() { counts.until_failure = never; }

bool allocation_failure::triggered() const noexcept { return counts.failed; }

unrecycled_frames::unrecycled_frames() noexcept {
    frame_cache_limit(0);
    trim_frame_cache();
}

unrecycled_frames::~unrecycled_frames() { frame_cache_limit(std::size_t{64} << 20); }

}  // namespace weir::test

void* operator new(std::size_t size) { return weir::test::allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return weir::test::allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return weir::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return weir::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return weir::test::allocate(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return weir::test::allocate(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return weir::test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return weir::test::allocate(size, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept { weir::test::release(memory); }
void operator delete[](void* memory) noexcept { weir::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { weir::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { weir::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { weir::test::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { weir::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    weir::test::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    weir::test::release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { weir::test::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    weir::test::release(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    weir::test::release(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    weir::test::release(memory);
}
