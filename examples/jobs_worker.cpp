// Runs what jobs_producer submits, until SIGTERM or Ctrl-C. Usage: jobs_worker [URL]
#include <string>
#include <weir/redisq/jobs/worker.hpp>

#include "jobs_thumbnail.hpp"
#include "redis_main.hpp"

// May run twice where a worker dies, so it does what may be done twice.
// ref: the job lives as long as this task.
weir::task<std::string> make_thumbnail(resize wanted, weir::redisq::job_context& job) {
    co_await job.progress("reading " + wanted.url);
    co_return wanted.url + ", " + std::to_string(wanted.width) + " pixels wide";
}

int work(const char* url) {
    weir::redisq::worker_options options;
    options.max_concurrency = 1000;
    weir::redisq::worker w(url, options);
    w.serve("images").on(thumbnail, make_thumbnail);
    return w.run_until_signal();  // SIGTERM: drain, hand back the rest
}

int main(int argc, char** argv) {
    return example::run_with_url(argc, argv, work, "redis://localhost");
}
