// Submits jobs and prints their results; run jobs_worker beside it. Usage: jobs_producer [URL]
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/run.hpp>

#include "jobs_thumbnail.hpp"

weir::task<> produce(std::string url) {
    weir::redisq::client redis(url);
    weir::redisq::queue images(redis, "images");
    weir::redisq::submit_options options;
    options.keep_result();
    constexpr std::array widths = {64, 128, 256};
    for (const int width : widths) {
        auto job = co_await images.submit(options, thumbnail, "a.png", width);
        const std::string made = co_await job.result(std::chrono::seconds(30));
        std::printf("%s\n", made.c_str());
    }
    co_await redis.close();
}

int main(int argc, char** argv) try {
    weir::run(produce(argc > 1 ? argv[1] : "redis://localhost"));
} catch (const std::exception& error) {
    std::fprintf(stderr, "jobs_producer: %s\n", error.what());
    return 1;
}
