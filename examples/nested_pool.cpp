// Jobs that submit to their own pool and wait for the result. With two slots and a queue of one,
// a tree of 2,047 jobs would hang most pools: every slot would be held by a parent that waits for
// children which find no slot. Here a parent that waits runs its child on its own slot, and both
// bounds hold all the while.
#include <cstdio>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

// Counts the nodes of a binary tree: one child by handle, one in place.
weir::task<int> count_nodes(weir::pool* pool, int depth) {
    co_await weir::yield();
    if (depth == 0) {
        co_return 1;
    }
    auto left = co_await pool->submit(count_nodes, pool, depth - 1);
    const int right = co_await pool->run(count_nodes, pool, depth - 1);
    co_return 1 + right + co_await left.join();
}

weir::task<> count_tree(weir::pool& pool) {
    const int nodes = co_await pool.run(count_nodes, &pool, 10);
    const weir::pool_stats stats = pool.stats();
    std::printf("%d jobs, at most %zu ran and %zu were queued\n", nodes, stats.max_running,
                stats.max_queued);
    std::printf("%llu ran on their parent's slot, %llu were claimed from the queue\n",
                static_cast<unsigned long long>(stats.inlined),
                static_cast<unsigned long long>(stats.claimed));
}

weir::task<> main_task() {
    weir::pool_options tiny;
    tiny.max_concurrency = 2;
    tiny.max_queue_size = 1;
    co_await weir::with_pool(tiny, count_tree);
}

int main() { weir::run(main_task()); }
