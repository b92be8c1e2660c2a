// Pictures are fetched, resized and stored: each step is a job that submits the next one. A fetch
// that fails is tried again; a picture that cannot be fetched at all, or is none, ends among the
// dead with the reason. Usage: jobs_pipeline [URL]; without, on a private redis-server.
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "redis_main.hpp"

using namespace std::chrono_literals;
namespace redisq = weir::redisq;

constexpr int pictures = 30;

struct picture {
    int number = 0;
    int width = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(picture, number, width)

const redisq::job_type<picture> fetch("fetch");
const redisq::job_type<picture> shrink("shrink");
const redisq::job_type<picture> store("store");

// With a unique key, a step that runs twice submits its next one once.
// ref: the queue outlives the worker.
template <class Type>
weir::task<> pass_on(redisq::queue& q, Type type, picture made) {
    redisq::submit_options once;
    once.unique(std::string(type.name()) + " " + std::to_string(made.number));
    co_await q.submit(once, type, made.number, made.width);
}

// Every third picture comes at the second attempt only, and number 13 never.
// ref: as above.
weir::task<> run_fetch(redisq::queue& q, picture wanted, redisq::job_context& job) {
    co_await weir::sleep_for(5ms);
    if (wanted.number == 13 || (wanted.number % 3 == 0 && job.attempt() == 1)) {
        throw std::runtime_error("no answer for picture " + std::to_string(wanted.number));
    }
    wanted.width = wanted.number == 17 ? 0 : 4000;
    co_await pass_on(q, shrink, wanted);
}

// ref: as above.
weir::task<> run_shrink(redisq::queue& q, picture given) {
    if (given.width == 0) {  // trying again would not help
        throw redisq::give_up("picture " + std::to_string(given.number) + " is empty");
    }
    given.width /= 10;
    co_await pass_on(q, store, given);
}

// ref: the worker runs in the same scope.
weir::task<> feed(redisq::queue& q, redisq::worker& w) {
    for (int number = 0; number < pictures; ++number) {
        co_await q.submit(fetch, number);
    }
    for (std::size_t left = 1; left != 0;) {  // what waits, runs or is to be tried again
        co_await weir::sleep_for(20ms);
        left = co_await q.size();
    }
    w.request_stop();
}

// ref: both outlive the scope.
weir::task<> run_both(weir::scope& s, redisq::queue& q, redisq::worker& w) {
    s.spawn(w.run());
    co_await feed(q, w);
}

weir::task<int> run_pipeline(std::string url) {
    redisq::client redis(url);
    redisq::queue q(redis, "pictures");
    redisq::worker_options options;
    options.heartbeat = 50ms;  // also how often it looks for what is to be tried again
    redisq::handler_options patient;
    patient.retry = redisq::retry_policy::exponential(10ms, 100ms, 3);
    patient.max_concurrency = 10;  // fetches at a time
    int stored = 0;
    redisq::worker w(url, options);
    w.serve("pictures");
    w.on(
        fetch, [&q](picture p, redisq::job_context& job) { return run_fetch(q, p, job); }, patient);
    w.on(shrink, [&q](picture p) { return run_shrink(q, p); });
    w.on(store, [&stored](picture /*done*/) { ++stored; });
    co_await weir::with_scope(run_both, std::ref(q), std::ref(w));

    redisq::queue_admin admin(redis, "pictures");
    const auto dead = co_await admin.list(redisq::job_state::dead);
    std::printf("%d of %d pictures stored, %llu runs failed\n", stored, pictures,
                static_cast<unsigned long long>(w.stats().failed));
    for (const redisq::job_description& job : dead) {
        std::printf("dead: %s: %s\n", job.type.c_str(),
                    std::string(redisq::last_reason(job.history)).c_str());
    }
    co_await redis.close();
    co_return stored == pictures - 2 && dead.size() == 2 ? 0 : 1;
}

int main(int argc, char** argv) { return example::run_with_url(argc, argv, run_pipeline); }
