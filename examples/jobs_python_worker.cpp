// Runs what jobs_python_producer.py submits in the wire of nb_aio_task, until SIGTERM or Ctrl-C.
// Usage: jobs_python_worker [URL]
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <weir/redisq/jobs/aio_task.hpp>
#include <weir/runtime/run.hpp>

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

int main(int argc, char** argv) try {
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    weir::run(consume(argc > 1 ? argv[1] : "redis://localhost"), options);
} catch (const weir::canceled&) {
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "jobs_python_worker: %s\n", error.what());
    return 1;
}
