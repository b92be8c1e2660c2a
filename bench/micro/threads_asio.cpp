// The same work as threads.cpp in Boost.Asio.
#include <benchmark/benchmark.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>
#include <vector>

#include "posting.hpp"

namespace {

namespace asio = boost::asio;
using executor = asio::io_context::executor_type;

// An io_context that never sleeps, on a thread of its own.
class busy_context {
  public:
    busy_context()
        : thread_([this] {
              keep_busy();
              context_.run();
          }) {}
    busy_context(const busy_context&) = delete;
    busy_context& operator=(const busy_context&) = delete;
    ~busy_context() { stop_.store(true, std::memory_order_relaxed); }

    template <class F>
    void post(F function) {
        asio::post(context_.get_executor(), function);
    }
    [[nodiscard]] executor get_executor() noexcept { return context_.get_executor(); }

  private:
    void keep_busy() {
        if (!stop_.load(std::memory_order_relaxed)) {
            asio::post(context_.get_executor(), [this] { keep_busy(); });
        }
    }

    asio::io_context context_{1};
    std::atomic<bool> stop_{false};
    std::jthread thread_;
};

BENCHMARK(post_burst<busy_context>)->Name("asio/post_burst") POST_BURST_OPTIONS;
BENCHMARK(post_stream<busy_context>)->Name("asio/post_stream")->UseRealTime();

asio::awaitable<int, executor> one() { co_return 1; }

// Unbounded, where weir's pool is bounded.
void submit_from_thread(benchmark::State& state) {
    busy_context target;
    std::vector<std::future<int>> results(posts_a_burst);
    while (state.KeepRunningBatch(posts_a_burst)) {
        for (auto& result : results) {
            result = asio::co_spawn(target.get_executor(), one(), asio::use_future);
        }
        for (auto& result : results) {
            benchmark::DoNotOptimize(result.get());
        }
    }
}
BENCHMARK(submit_from_thread)->Name("asio/submit_from_thread")->UseRealTime();

}  // namespace
