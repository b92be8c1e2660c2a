#include "frame_allocator.hpp"

#include <new>

namespace weir {
namespace detail {
namespace {

// Empties the thread's lists when the thread ends, and keeps later frees (by static destructors)
// from filling them again.
struct frame_cache_reaper {
    frame_cache_reaper() = default;
    frame_cache_reaper(const frame_cache_reaper&) = delete;
    frame_cache_reaper& operator=(const frame_cache_reaper&) = delete;
    ~frame_cache_reaper() {
        trim_frame_cache();
        this_thread_frames.limit_bytes = 0;
    }
    void touch() const noexcept {}
};

thread_local frame_cache_reaper reaper;

constexpr std::size_t default_limit_bytes = std::size_t{64} << 20;

// Makes the thread keep free frames from now on. False when it does already, or has ended.
bool arm() noexcept {
    if (this_thread_frames.armed) {
        return false;
    }
    this_thread_frames.armed = true;
    reaper.touch();
    this_thread_frames.limit_bytes = default_limit_bytes;
    return true;
}

}  // namespace

void* allocate_frame_slow(std::size_t size_class, std::size_t size) {
    arm();
    void* const memory =
        ::operator new(size_class < frame_classes ? size_class * frame_granule : size);
    ++this_thread_frames.heap_allocations;
    return memory;
}

void free_frame_slow(void* memory, std::size_t size) noexcept {
    if (arm()) {
        free_frame(memory, size);
    } else {
        ::operator delete(memory);
    }
}

}  // namespace detail

frame_cache_stats frame_cache_statistics() noexcept {
    const detail::frame_cache& cache = detail::this_thread_frames;
    return {.cached_bytes = cache.cached_bytes, .heap_allocations = cache.heap_allocations};
}

void frame_cache_limit(std::size_t bytes) noexcept {
    detail::arm();
    detail::this_thread_frames.limit_bytes = bytes;
}

void trim_frame_cache() noexcept {
    detail::frame_cache& cache = detail::this_thread_frames;
    for (std::size_t index = 0; index < detail::frame_classes; ++index) {
        while (detail::frame_cache::block* const block = cache.free[index]) {
#ifdef WEIR_ASAN
            ASAN_UNPOISON_MEMORY_REGION(block, index * detail::frame_granule);
#endif
            cache.free[index] = block->next;
            ::operator delete(block);
        }
    }
    cache.cached_bytes = 0;
}

}  // namespace weir
