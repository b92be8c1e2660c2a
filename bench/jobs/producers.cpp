#include "producers.hpp"

#include <optional>
#include <ranges>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>

#include "ours.hpp"

namespace jobs {
namespace {

const std::string& payload() {
    static const std::string bytes(payload_bytes, 'p');
    return bytes;
}

// What the tasks of one measurement share.
struct session {
    explicit session(const server_access& server) : to(server) {}

    producer to;
    std::optional<stopwatch> watch;
    double seconds = 0;
    bool running = true;
    std::uint64_t done = 0;
    bench::samples latencies{samples_max};
};

// The first task looks at the clock for all.
weir::task<> submit_one_by_one(session* all, bool first) {
    const std::string_view bytes = payload();
    while (all->running) {
        const std::uint64_t began = first ? now_ns() : 0;
        const auto made = co_await all->to.queue.submit(job_of_bench, bytes);
        static_cast<void>(made);
        ++all->done;
        if (first) {
            all->latencies.add(now_ns() - began);
            all->running = all->watch->elapsed_s() < all->seconds;
        }
    }
}

weir::task<> spawn_producers(weir::scope& tasks, session* all, std::uint64_t producers) {
    for (std::uint64_t index = 0; index < producers; ++index) {
        tasks.spawn(submit_one_by_one, all, index == 0);
    }
    co_return;
}

weir::task<figures> measure_each(server_access server, std::uint64_t producers, double seconds) {
    session all(server);
    co_await all.to.connect();
    all.seconds = seconds;
    all.watch.emplace(server.process_id);
    co_await weir::with_scope(spawn_producers, &all, producers);
    figures out = all.watch->figures_of(all.done);
    judge(all.latencies, out);
    co_await all.to.redis.close();
    co_return out;
}

weir::task<figures> measure_bulk(server_access server, std::uint64_t jobs) {
    producer to(server);
    co_await to.connect();
    const stopwatch watch(server.process_id);
    auto payloads =
        std::views::iota(std::uint64_t{0}, jobs) |
        std::views::transform([](std::uint64_t) { return std::string_view(payload()); });
    const std::size_t count = co_await to.queue.submit_many(job_of_bench, payloads);
    const figures out = watch.figures_of(count);
    co_await to.redis.close();
    co_return out;
}

}  // namespace

figures submit_each(const server_access& server, std::uint64_t producers, double seconds) {
    return weir::run(measure_each(server, producers, seconds));
}

figures submit_bulk(const server_access& server, std::uint64_t jobs) {
    return weir::run(measure_bulk(server, jobs));
}

}  // namespace jobs
