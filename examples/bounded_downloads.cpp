// examples/bounded_downloads.cpp
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

#include <chrono>
#include <cstdio>

weir::task<> download(int page) {
    co_await weir::sleep_for(std::chrono::milliseconds(page % 10));  // a request would stand here
}

weir::task<> download_all(weir::pool& pool) {
    for (int page = 0; page < 10'000; ++page) {
        co_await pool.post(download, page);  // waits while 1,000 pages are queued
    }
}

weir::task<> main_task() {
    weir::pool_options limits;
    limits.max_concurrency = 100;
    limits.max_queue_size = 1'000;
    co_await weir::with_pool(limits, download_all);  // returns when all have ended
    std::puts("10,000 pages, never more than 100 at a time");
}

int main() { weir::run(main_task()); }
