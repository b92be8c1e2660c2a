// A pool that outlives the tasks which use it: made beside the loop, shared by everything that runs
// there, drained at the end. Jobs that are under way when a main task returns go on in the next
// run.
#include <chrono>
#include <cstdio>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

weir::task<> write_audit_line(int number) {
    co_await weir::sleep_for(1ms + number * 1us);  // a write to a slow disk would stand here
}

// Returns while its jobs still run.
weir::task<> handle_request(weir::pool& audit) {
    for (int number = 0; number < 100; ++number) {
        co_await audit.post(write_audit_line, number);
    }
}

weir::task<> shut_down(weir::pool& audit) {
    const weir::drain_report report = co_await audit.drain_for(5s);
    std::printf("at the end: %s, %zu lines were never written\n",
                report.drained ? "drained" : "stopped", report.unstarted.size());
}

int main() {
    weir::event_loop loop;
    weir::pool_options limits;
    limits.max_concurrency = 20;
    limits.name = "audit";
    weir::pool audit(loop, limits);

    loop.run(handle_request(audit));
    const weir::pool_stats stats = audit.stats();
    std::printf("after the request: %zu lines are written, %zu wait\n", stats.running,
                stats.queued);
    loop.run(shut_down(audit));
}
