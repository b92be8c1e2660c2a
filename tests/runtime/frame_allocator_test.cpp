#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <weir/runtime/frame_allocator.hpp>

#include "support/allocations.hpp"

namespace weir {
namespace {

using detail::allocate_frame;
using detail::frame_granule;
using detail::frame_size_max;
using detail::free_frame;

// Each test starts with an empty cache and leaves one behind.
class FrameAllocatorTest : public testing::Test {
  protected:
    FrameAllocatorTest() { trim_frame_cache(); }
    ~FrameAllocatorTest() override {
        trim_frame_cache();
        frame_cache_limit(std::size_t{64} << 20);
    }
};

TEST_F(FrameAllocatorTest, AFreedBlockIsHandedOutAgain) {
    void* const first = allocate_frame(100);
    free_frame(first, 100);
    const test::allocation_counter counter;
    void* const again = allocate_frame(100);
    EXPECT_EQ(again, first);
    EXPECT_EQ(counter.allocations(), 0U);
    free_frame(again, 100);
}

TEST_F(FrameAllocatorTest, SizesOfOneClassShareTheirBlocks) {
    void* const block = allocate_frame(2 * frame_granule);
    free_frame(block, 2 * frame_granule);
    EXPECT_EQ(allocate_frame(frame_granule + 1), block);
    void* const smaller = allocate_frame(frame_granule);
    EXPECT_NE(smaller, block);
    free_frame(smaller, frame_granule);
    free_frame(block, frame_granule + 1);
}

TEST_F(FrameAllocatorTest, EveryByteOfEverySizeIsUsableAndAligned) {
    std::vector<void*> blocks;
    constexpr std::size_t size_max = frame_size_max + 3 * frame_granule;
    for (std::size_t size = 1; size <= size_max; ++size) {
        void* const block = allocate_frame(size);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
        std::memset(block, static_cast<int>(size % 251), size);
        blocks.push_back(block);
    }
    for (std::size_t size = 1; size <= size_max; ++size) {
        const auto* const bytes = static_cast<const unsigned char*>(blocks[size - 1]);
        ASSERT_TRUE(std::all_of(bytes, bytes + size, [&](unsigned char byte) {
            return byte == size % 251;
        })) << size;
        free_frame(blocks[size - 1], size);
    }
}

TEST_F(FrameAllocatorTest, TheStatisticsCountWhatIsCachedAndTaken) {
    const frame_cache_stats before = frame_cache_statistics();
    EXPECT_EQ(before.cached_bytes, 0U);
    void* const block = allocate_frame(33);
    EXPECT_EQ(frame_cache_statistics().heap_allocations, before.heap_allocations + 1);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
    free_frame(block, 33);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 2 * frame_granule);
    void* const again = allocate_frame(33);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
    EXPECT_EQ(frame_cache_statistics().heap_allocations, before.heap_allocations + 1);
    free_frame(again, 33);
}

TEST_F(FrameAllocatorTest, ALargeBlockGoesBackToTheHeapAtOnce) {
    void* const largest_kept = allocate_frame(frame_size_max);
    void* const beyond = allocate_frame(frame_size_max + 1);
    const test::allocation_counter counter;
    free_frame(beyond, frame_size_max + 1);
    EXPECT_EQ(counter.frees(), 1U);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
    free_frame(largest_kept, frame_size_max);
    EXPECT_EQ(counter.frees(), 1U);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, frame_size_max);
}

TEST_F(FrameAllocatorTest, TheCacheIsBounded) {
    frame_cache_limit(2 * frame_granule);
    std::array<void*, 3> blocks{};
    for (void*& block : blocks) {
        block = allocate_frame(frame_granule);
    }
    const test::allocation_counter counter;
    for (void* const block : blocks) {
        free_frame(block, frame_granule);
    }
    EXPECT_EQ(counter.frees(), 1U);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 2 * frame_granule);
}

TEST_F(FrameAllocatorTest, WithoutALimitLeftNothingIsKept) {
    frame_cache_limit(0);
    void* const block = allocate_frame(64);
    const test::allocation_counter counter;
    free_frame(block, 64);
    EXPECT_EQ(counter.frees(), 1U);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
}

TEST_F(FrameAllocatorTest, WhoTakesManyOfOneSizeGetsThemInBatches) {
    constexpr std::size_t singly = 256;
    constexpr std::size_t batch = 64;
    std::vector<void*> blocks;
    const std::size_t before = frame_cache_statistics().heap_allocations;
    for (std::size_t count = 0; count < singly; ++count) {
        blocks.push_back(allocate_frame(64));
    }
    EXPECT_EQ(frame_cache_statistics().heap_allocations, before + singly);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
    for (std::size_t count = 0; count < batch; ++count) {
        blocks.push_back(allocate_frame(64));
        EXPECT_EQ(frame_cache_statistics().heap_allocations, before + singly + batch);
    }
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
    for (void* const block : blocks) {
        free_frame(block, 64);
    }
}

TEST_F(FrameAllocatorTest, ABatchStaysWithinTheLimit) {
    frame_cache_limit(3 * 64);
    std::vector<void*> blocks;
    for (std::size_t count = 0; count < 257; ++count) {
        blocks.push_back(allocate_frame(64));
    }
    EXPECT_EQ(frame_cache_statistics().cached_bytes, std::size_t{3 * 64});
    for (void* const block : blocks) {
        free_frame(block, 64);
    }
}

TEST_F(FrameAllocatorTest, TrimmingGivesEverythingBack) {
    std::array<void*, 4> blocks{allocate_frame(32), allocate_frame(64), allocate_frame(64),
                                allocate_frame(frame_size_max)};
    free_frame(blocks[0], 32);
    free_frame(blocks[1], 64);
    free_frame(blocks[2], 64);
    free_frame(blocks[3], frame_size_max);
    const test::allocation_counter counter;
    trim_frame_cache();
    EXPECT_EQ(counter.frees(), 4U);
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
}

TEST_F(FrameAllocatorTest, ABlockThatIsFreedElsewhereJoinsThatThreadsCache) {
    void* const block = allocate_frame(64);
    std::jthread([block] {
        free_frame(block, 64);
        EXPECT_EQ(frame_cache_statistics().cached_bytes, 64U);
        EXPECT_EQ(allocate_frame(64), block);
        free_frame(block, 64);
    }).join();
    EXPECT_EQ(frame_cache_statistics().cached_bytes, 0U);
}

// Counts the frees of its thread until it dies.
struct count_until_exit {
    ~count_until_exit() { *result = counter.frees(); }
    test::allocation_counter counter;
    std::size_t* result = nullptr;
};

// What a thread frees between the end of `work` and the end of its thread_locals.
template <class Work>
std::size_t all_frees_at_thread_exit(Work work) {
    std::size_t frees = 0;
    std::jthread([&] {
        // Made before the allocator's own, and so destroyed after it.
        thread_local count_until_exit last;
        last.result = &frees;
        work();
        last.counter.reset();
    }).join();
    return frees;
}

// The same without what every thread frees.
template <class Work>
std::size_t frees_at_thread_exit(Work work) {
    return all_frees_at_thread_exit(work) - all_frees_at_thread_exit([] {});
}

TEST_F(FrameAllocatorTest, AThreadGivesItsBlocksBackWhenItEnds) {
    EXPECT_EQ(frees_at_thread_exit([] {
                  void* const first = allocate_frame(64);
                  void* const second = allocate_frame(128);
                  free_frame(first, 64);
                  free_frame(second, 128);
              }),
              2U);
}

TEST_F(FrameAllocatorTest, AThreadThatOnlyFreesGivesTheBlocksBackAsWell) {
    void* const block = allocate_frame(64);
    EXPECT_EQ(frees_at_thread_exit([block] { free_frame(block, 64); }), 1U);
}

// Frees a block when its thread's other objects are gone already.
struct free_at_exit {
    ~free_at_exit() {
        if (block != nullptr) {
            const test::allocation_counter counter;
            free_frame(block, 64);
            EXPECT_EQ(counter.frees(), 1U) << "nothing would ever empty the cache again";
        }
    }
    void* block = nullptr;
};

TEST_F(FrameAllocatorTest, ABlockThatIsFreedAfterTheCacheEndedGoesToTheHeap) {
    std::jthread([] {
        thread_local free_at_exit late;
        late.block = allocate_frame(64);
    }).join();
}

TEST_F(FrameAllocatorTest, AFailedAllocationIsReportedAndCountsNothing) {
    const frame_cache_stats before = frame_cache_statistics();
    const test::allocation_failure failure(0);
    EXPECT_THROW(static_cast<void>(allocate_frame(64)), std::bad_alloc);
    EXPECT_TRUE(failure.triggered());
    EXPECT_EQ(frame_cache_statistics().heap_allocations, before.heap_allocations);
}

struct recycled_thing : detail::recycled {
    std::array<char, 100> payload{};
};

TEST_F(FrameAllocatorTest, ARecycledTypeReusesItsBlock) {
    auto* const first = new recycled_thing();
    delete first;
    const test::allocation_counter counter;
    auto* const second = new recycled_thing();
    EXPECT_EQ(static_cast<void*>(second), static_cast<void*>(first));
    delete second;
    EXPECT_EQ(counter.allocations(), 0U);
    EXPECT_EQ(counter.frees(), 0U);
}

#ifdef WEIR_ASAN
TEST(FrameAllocatorDeathTest, AUseAfterFreeOfACachedBlockIsSeen) {
    auto* const block = static_cast<volatile char*>(allocate_frame(64));
    free_frame(const_cast<char*>(block), 64);
    EXPECT_DEATH(block[10] = 1, "use-after-poison");
}
#endif

}  // namespace
}  // namespace weir
