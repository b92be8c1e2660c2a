// Helpers for tests of the job queue.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

namespace weir::test {

// Quick to beat, to reap and to stop.
inline redisq::worker_options quick_worker(std::size_t concurrency = 100) {
    using namespace std::chrono_literals;
    redisq::worker_options options;
    options.max_concurrency = concurrency;
    options.heartbeat = 20ms;
    options.lease = 2s;
    options.grace = 2s;
    options.on_report = [](const std::string&) {};
    options.on_warning = [](const std::string&) {};
    return options;
}

// ref: the caller awaits at once.
inline task<> body_then_stop(redisq::worker& w, task<> body) {
    std::exception_ptr failure;
    try {
        co_await std::move(body);
    } catch (...) {
        failure = std::current_exception();
    }
    w.request_stop();
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
}

// ref: as above.
inline task<> beside_worker(redisq::worker& w, task<> body) {
    scope s;
    s.spawn(w.run());
    s.spawn(body_then_stop(w, std::move(body)));
    co_await s.join();
}

// Runs the worker while `body` runs, then stops it in order.
inline void run_with_worker(redisq::worker& w, task<> body) {
    event_loop loop;
    loop.run(beside_worker(w, std::move(body)));
}

// "0", "1", ... as jobs of this type, in one flush.
template <class Type>
task<> submit_texts(std::string url, Type type, int count, std::string queue = "default") {
    redisq::client redis(url);
    redisq::queue q(redis, queue);
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
        texts.push_back(std::to_string(i));
    }
    co_await q.submit_many(type, texts);
    co_await redis.close();
}

// Ends when the queue has no job that waits, runs or is delayed. `server`: a client or a
// cluster_client.
inline task<> jobs_are_gone(redisq::detail::job_server server, std::string queue) {
    redisq::queue q(server, queue);
    std::size_t left = 1;
    while (left != 0) {
        co_await sleep_for(std::chrono::milliseconds(1));
        left = co_await q.size();
    }
}
inline task<> jobs_are_gone(std::string url, std::string queue) {
    redisq::client redis(url);
    co_await jobs_are_gone(redis, std::move(queue));
    co_await redis.close();
}

}  // namespace weir::test
