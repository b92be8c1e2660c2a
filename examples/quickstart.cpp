// The whole idea on one page: ten slots, a hundred jobs, results by handle.
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

weir::task<std::size_t> fetch(std::string url) {
    co_await weir::sleep_for(1ms);  // a request would stand here
    co_return url.size();
}

weir::task<std::size_t> fetch_all(weir::pool& pool) {
    std::vector<weir::join_handle<std::size_t>> pages;
    for (int page = 0; page < 100; ++page) {
        std::string url = "https://example.org/" + std::to_string(page);
        pages.push_back(co_await pool.submit(fetch, std::move(url)));  // waits while 20 are queued
    }
    co_await pool.post(fetch, "https://example.org/unread");  // no handle: nobody needs the result
    std::size_t bytes = 0;
    for (auto& page : pages) {
        bytes += co_await page.join();  // rethrows what the job threw
    }
    co_return bytes;
}

weir::task<> main_task() {
    weir::pool_options limits;
    limits.max_concurrency = 10;
    limits.max_queue_size = 20;
    const std::size_t bytes = co_await weir::with_pool(limits, fetch_all);  // ends when all have
    std::printf("100 pages, %zu bytes, never more than 10 at a time\n", bytes);
}

int main() { weir::run(main_task()); }
