// The same work as wakes.cpp in Boost.Asio.
#include <benchmark/benchmark.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "waking.hpp"

namespace {

namespace asio = boost::asio;

class asio_sleeper {
  public:
    asio_sleeper() : thread_([this] { context_.run(); }) {}
    asio_sleeper(const asio_sleeper&) = delete;
    asio_sleeper& operator=(const asio_sleeper&) = delete;
    ~asio_sleeper() { work_.reset(); }
    [[nodiscard]] bool wake() {
        asio::post(context_.get_executor(), [this] { woken_.signal(); });
        return true;
    }
    [[nodiscard]] const signal_flag& woken() const noexcept { return woken_; }

  private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    signal_flag woken_;
    std::jthread thread_;
};

BENCHMARK(post_wake<asio_sleeper>)->Name("asio/post_wake") WAKE_OPTIONS;

}  // namespace
