#include "frame_allocator.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace weir {
namespace detail {
namespace {

void set_limit(std::ptrdiff_t bytes) noexcept {
    frame_cache& cache = this_thread_frames;
    cache.room_bytes += bytes - cache.limit_bytes;
    cache.limit_bytes = bytes;
}

// Empties the thread's lists when the thread ends, and keeps later frees (by static destructors)
// from filling them again.
struct frame_cache_reaper {
    frame_cache_reaper() = default;
    frame_cache_reaper(const frame_cache_reaper&) = delete;
    frame_cache_reaper& operator=(const frame_cache_reaper&) = delete;
    ~frame_cache_reaper() {
        trim_frame_cache();
        set_limit(0);
    }
    void touch() const noexcept {}
};

thread_local frame_cache_reaper reaper;

constexpr std::ptrdiff_t default_limit_bytes = std::ptrdiff_t{64} << 20;

// Makes the thread keep free frames from now on. False when it does already, or has ended.
bool arm() noexcept {
    if (this_thread_frames.armed) {
        return false;
    }
    this_thread_frames.armed = true;
    reaper.touch();
    set_limit(default_limit_bytes);
    return true;
}

// Who has taken hundreds of blocks of one size will take more. Taken in a row they lie side by
// side, with nobody else's memory between them, and are walked in that order later.
constexpr std::uint32_t batch_from = 256;
constexpr std::size_t batch = 64;

void add_batch(std::size_t bytes) noexcept {
    frame_cache& cache = this_thread_frames;
    for (std::size_t more = 1; more < batch; ++more) {
        if (cache.room_bytes < static_cast<std::ptrdiff_t>(bytes)) {
            return;
        }
        void* const block = ::operator new(bytes, std::nothrow);
        if (block == nullptr) {
            return;
        }
        ++cache.heap_allocations;
        free_frame(block, bytes);
    }
}

}  // namespace

void* allocate_frame_slow(std::size_t size_class, std::size_t size) {
    arm();
    frame_cache& cache = this_thread_frames;
    const bool is_cached = size_class < frame_classes;
    const std::size_t bytes = is_cached ? size_class * frame_granule : size;
    void* const memory = ::operator new(bytes);
    ++cache.heap_allocations;
    if (is_cached && ++cache.taken[size_class] > batch_from) {
        add_batch(bytes);
    }
    return memory;
}

void free_frame_slow(void* memory, std::size_t size) noexcept {
    const std::size_t size_class = (size + frame_granule - 1) / frame_granule;
    if (size_class < frame_classes) {
        this_thread_frames.room_bytes += static_cast<std::ptrdiff_t>(size_class * frame_granule);
    }
    if (arm()) {
        free_frame(memory, size);
    } else {
        ::operator delete(memory);
    }
}

}  // namespace detail

frame_cache_stats frame_cache_statistics() noexcept {
    const detail::frame_cache& cache = detail::this_thread_frames;
    return {.cached_bytes = static_cast<std::size_t>(cache.limit_bytes - cache.room_bytes),
            .heap_allocations = cache.heap_allocations};
}

void frame_cache_limit(std::size_t bytes) noexcept {
    detail::arm();
    detail::set_limit(static_cast<std::ptrdiff_t>(
        std::min<std::size_t>(bytes, std::numeric_limits<std::ptrdiff_t>::max() / 2)));
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
        cache.taken[index] = 0;
    }
    cache.room_bytes = cache.limit_bytes;
}

}  // namespace weir
