// Helpers for tests of the job queue.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <exception>
#include <utility>

#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>

namespace weir::test {

// Quick to beat, to reap and to stop.
inline redisq::worker_options quick_worker(std::size_t concurrency = 100) {
    using namespace std::chrono_literals;
    redisq::worker_options options;
    options.max_concurrency = concurrency;
    options.heartbeat = 20ms;
    options.lease = 500ms;
    options.grace = 2s;
    options.on_report = [](const std::string&) {};
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

}  // namespace weir::test
