// The examples in the comments of pool/*.hpp, word for word, with what they need around them; the
// test "header examples" compares. All of them are run.
// clang-format off: the lines stand as in the comments.
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

namespace {

weir::task<std::string> fetch(std::string url) {
    co_await weir::yield();
    co_return "page " + url;
}

weir::task<> batch_example(weir::pool& p) {
    const std::vector<std::string> urls{"a", "b"};
    std::vector<std::string> pages = co_await p.batch_run(fetch, urls);
}

weir::task<> errors_example(weir::pool& p) {
    const std::string url = "a";
    bool closed = false;
    try {
        co_await p.post(fetch, url);
    } catch (const weir::pool_error& error) {
        closed = error.error() == weir::pool_errc::closed;
    }
    std::puts(closed ? "closed" : "open");
}

weir::task<> join_handle_example(weir::pool& p, std::string url) {
    auto handle = co_await p.submit(fetch, url);
    const std::string page = co_await std::move(handle);  // or co_await handle.join()
    std::puts(page.c_str());
}

weir::task<> options_example(weir::pool& p, std::string url) {
    weir::submit_options quick;
    quick.named("fetch").admit_within(1s).finish_within(5s);
    auto handle = co_await p.submit(quick, fetch, url);
    co_await handle.join();
}

weir::task<> owned_example(weir::pool& p) {
    weir::owned work{[text = std::string("x")] { return text.size(); }};   // its own statement
    auto handle = co_await p.submit(std::move(work));
    co_await handle.join();
}

namespace pool_hpp {

weir::task<> crawl(std::vector<std::string> urls) {
    // braces: pool_options is trivially destructible, and no co_await stands in this statement.
    weir::pool p({.max_concurrency = 100, .max_queue_size = 1000});
    for (std::string& url : urls) {
        co_await p.post(fetch, std::move(url));   // waits while the queue is full
    }
    co_await p.drain();
}

}  // namespace pool_hpp

namespace with_pool_hpp {

weir::task<> crawl(weir::pool& p) { co_await p.post(fetch, std::string("a")); }

weir::task<> example() {
    // braces: pool_options is trivially destructible, so destroying it twice is harmless.
    co_await weir::with_pool({.max_concurrency = 10}, crawl);
}

}  // namespace with_pool_hpp

weir::task<> use_pool(weir::pool& p) {
    co_await batch_example(p);
    co_await errors_example(p);
    co_await join_handle_example(p, "a");
    co_await options_example(p, "a");
    co_await owned_example(p);
}

weir::task<> run_all() {
    weir::pool_options limits;
    co_await weir::with_pool(limits, use_pool);
    co_await pool_hpp::crawl(std::vector<std::string>(3, "a"));
    co_await with_pool_hpp::example();
}

}  // namespace

int main() { weir::run(run_all()); }
