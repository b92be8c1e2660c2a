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
    void arm() const noexcept {}
};

thread_local frame_cache_reaper reaper;

}  // namespace

void* allocate_frame_slow(std::size_t size_class, std::size_t size) {
    reaper.arm();
    ++this_thread_frames.heap_allocations;
    return ::operator new(size_class < frame_classes ? size_class * frame_granule : size);
}

void free_frame_slow(void* memory) noexcept { ::operator delete(memory); }

}  // namespace detail

frame_cache_stats frame_cache_statistics() noexcept {
    const detail::frame_cache& cache = detail::this_thread_frames;
    return {.cached_bytes = cache.cached_bytes, .heap_allocations = cache.heap_allocations};
}

void frame_cache_limit(std::size_t bytes) noexcept {
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
