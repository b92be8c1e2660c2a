#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <weir/redisq/jobs/admin.hpp>
#include <weir/runtime/clock.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/sleep.hpp>

#include "commands.hpp"
#include "print.hpp"

namespace weirq {
namespace {

using weir::redisq::queue_counts;

struct rates {
    double done = 0;
    double failed = 0;
};

double seconds(weir::duration length) { return std::chrono::duration<double>(length).count(); }

// Counts that went down: somebody has removed the queue.
double rate(std::uint64_t before, std::uint64_t now, weir::duration passed) {
    return now < before ? 0 : static_cast<double>(now - before) / seconds(passed);
}

void show_round(const settings& chosen, const queue_counts& now, const rates& speed) {
    if (chosen.as_json) {
        json line = counts_json(chosen.queue, now);
        line["done_per_s"] = speed.done;
        line["failed_per_s"] = speed.failed;
        std::cout << line.dump() << std::endl;  // a line a round, at once
        return;
    }
    if (isatty(STDOUT_FILENO) == 1) {
        std::printf("\x1b[H\x1b[2J");
    }
    print_counts(chosen.queue, now);
    print_table({{"  done/s", std::to_string(static_cast<long long>(speed.done))},
                 {"  failed/s", std::to_string(static_cast<long long>(speed.failed))}});
    std::fflush(stdout);
}

}  // namespace

weir::task<int> top(job_server server, settings chosen) {
    weir::redisq::queue_admin admin(server, chosen.queue);
    queue_counts before = co_await admin.counts();
    weir::time_point then = weir::event_loop::current()->now();
    rates speed;
    for (std::uint64_t round = 1;; ++round) {
        show_round(chosen, before, speed);
        if (round == chosen.rounds) {
            co_return 0;
        }
        co_await weir::sleep_for(chosen.interval);
        const queue_counts now = co_await admin.counts();
        const weir::time_point time = weir::event_loop::current()->now();
        speed.done = rate(before.done, now.done, time - then);
        speed.failed = rate(before.failed, now.failed, time - then);
        before = now;
        then = time;
    }
}

}  // namespace weirq
