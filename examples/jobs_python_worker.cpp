// Runs what jobs_python_producer.py submits in the wire of nb_aio_task, until SIGTERM or Ctrl-C.
// Usage: jobs_python_worker [URL]
#include <cstdio>
#include <string>
#include <weir/redisq/jobs/aio_task.hpp>

#include "redis_main.hpp"

weir::task<> add(int x, int y) {
    std::printf("%d + %d = %d\n", x, y, x + y);
    std::fflush(stdout);
    co_return;
}

weir::task<> consume(std::string url) {
    weir::redisq::client redis(url);
    weir::redisq::aio_options options;
    options.parameters = {"x", "y"};  // Python may call by these names
    weir::redisq::aio_task<void, int, int> sums(redis, "sums", add, options);
    co_await sums.consume();
}

int main(int argc, char** argv) {
    return example::run_with_url(argc, argv, consume, "redis://localhost");
}
