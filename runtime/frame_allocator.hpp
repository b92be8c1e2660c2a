// Recycled memory for coroutine frames and the small blocks beside them.
//
//     weir::frame_cache_limit(std::size_t{1} << 20);   // this thread keeps 1 MiB of free frames
//     weir::trim_frame_cache();                       // and now none
//
// Each thread keeps a free list per size class; a warm loop takes and gives back frames without
// touching the heap. A block may be freed on another thread than it came from: it then joins that
// thread's lists. What a thread keeps is bounded (frame_cache_limit); beyond that, and for blocks
// over `frame_size_max`, memory goes back to the heap at once. Everything goes back at thread exit.
// A thread that has taken 256 blocks of one size from the heap takes further ones 64 at a time.
//
// Under AddressSanitizer a block in a free list is poisoned, so a use after free is still seen.
//
// Thread: every function acts on the calling thread's lists. The only failure is std::bad_alloc
// from allocate_frame.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_ASAN 1
#endif
#endif
#ifdef WEIR_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace weir {

// What the calling thread's lists hold, and what they had to take from the heap so far.
struct frame_cache_stats {
    std::size_t cached_bytes = 0;
    std::size_t heap_allocations = 0;
};

[[nodiscard]] frame_cache_stats frame_cache_statistics() noexcept;

// Sets how many bytes of free frames the calling thread keeps; the default is 64 MiB. Shrinking
// does not free what is already kept: trim_frame_cache() does.
void frame_cache_limit(std::size_t bytes) noexcept;

// Gives every free block of the calling thread back to the heap.
void trim_frame_cache() noexcept;

namespace detail {

inline constexpr std::size_t frame_granule = 32;
inline constexpr std::size_t frame_classes = 33;  // class c holds blocks of c * frame_granule bytes
inline constexpr std::size_t frame_size_max = (frame_classes - 1) * frame_granule;

struct frame_cache {
    struct block {
        block* next;
    };
    block* free[frame_classes] = {};
    // What the lists may still take: limit_bytes less what they hold, below 0 after the limit was
    // lowered. One word that is added to and subtracted from, and whose sign is the check.
    std::ptrdiff_t room_bytes = 0;
    std::ptrdiff_t limit_bytes = 0;  // until the thread's first slow call, and again when it ends
    std::size_t heap_allocations = 0;
    std::uint32_t taken[frame_classes] = {};  // blocks of a class that came from the heap singly
    bool armed = false;                       // whether something empties the lists at thread exit
};

// Constant initialisation and a trivial destructor keep every access a plain load; the lists are
// emptied by a separate object that the first slow call registers: with nothing cached and no
// limit, a thread's first allocation and its first free are slow.
inline constinit thread_local frame_cache this_thread_frames{};

[[nodiscard]] void* allocate_frame_slow(std::size_t size_class, std::size_t size);
// Of what the lists have no room for, or do not take: gives back what free_frame took of the room.
void free_frame_slow(void* memory, std::size_t size) noexcept;

// At least `size` bytes, aligned for any fundamental type.
[[nodiscard]] inline void* allocate_frame(std::size_t size) {
    const std::size_t size_class = (size + frame_granule - 1) / frame_granule;
    if (size_class < frame_classes) [[likely]] {
        frame_cache& cache = this_thread_frames;
        if (frame_cache::block* const block = cache.free[size_class]) [[likely]] {
#ifdef WEIR_ASAN
            ASAN_UNPOISON_MEMORY_REGION(block, size_class * frame_granule);
#endif
            cache.free[size_class] = block->next;
            cache.room_bytes += static_cast<std::ptrdiff_t>(size_class * frame_granule);
            return block;
        }
    }
    return allocate_frame_slow(size_class, size);
}

// `size` is what allocate_frame was asked for.
inline void free_frame(void* memory, std::size_t size) noexcept {
    const std::size_t size_class = (size + frame_granule - 1) / frame_granule;
    frame_cache& cache = this_thread_frames;
    const std::size_t bytes = size_class * frame_granule;
    if (size_class < frame_classes) [[likely]] {
        // Where that was too much, the slow way gives it back.
        cache.room_bytes -= static_cast<std::ptrdiff_t>(bytes);
        if (cache.room_bytes >= 0) [[likely]] {
            auto* const block = static_cast<frame_cache::block*>(memory);
            block->next = cache.free[size_class];
            cache.free[size_class] = block;
#ifdef WEIR_ASAN
            ASAN_POISON_MEMORY_REGION(block, bytes);
#endif
            return;
        }
    }
    free_frame_slow(memory, size);
}

// Base of types that live in recycled blocks and are created with new and deleted with delete.
struct recycled {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept {
        free_frame(memory, size);
    }
};

}  // namespace detail
}  // namespace weir
