// Submits jobs and prints their results; run jobs_worker beside it. Usage: jobs_producer [URL]
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <weir/redisq/jobs/queue.hpp>

#include "jobs_thumbnail.hpp"
#include "redis_main.hpp"

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

int main(int argc, char** argv) {
    return example::run_with_url(argc, argv, produce, "redis://localhost");
}
