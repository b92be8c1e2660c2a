// Three deadlines of a job: how long its submitter waits for a place, how late it may start, and
// how late it may end. And one for any task: with_timeout.
#include <chrono>
#include <cstdio>
#include <weir/pool.hpp>
#include <weir/runtime.hpp>

using namespace std::chrono_literals;

weir::task<int> answer(std::chrono::milliseconds after) {
    co_await weir::sleep_for(after);
    co_return 42;
}

// Prints how the submission or the job ended.
weir::task<> report(weir::pool& pool, weir::submit_options options) {
    try {
        const int value = co_await pool.run(options, answer, 20ms);
        std::printf("%-9s %d\n", options.name(), value);
    } catch (const weir::pool_error& error) {
        std::printf("%-9s %s\n", options.name(), error.what());
    } catch (const weir::timed_out& error) {
        std::printf("%-9s %s\n", options.name(), error.what());
    }
}

// One slot, one place in the queue.
weir::task<> try_deadlines(weir::pool& pool) {
    weir::submit_options prompt;
    prompt.named("prompt").finish_within(5s);
    co_await report(pool, prompt);

    weir::submit_options slow;
    slow.named("slow").finish_within(5ms);  // it runs, and is asked to stop
    co_await report(pool, slow);

    const auto busy = co_await pool.submit(answer, 50ms);  // takes the slot
    weir::submit_options late;
    late.named("late").start_within(5ms);  // its body never runs
    co_await report(pool, late);

    const auto queued = co_await pool.submit(answer, 1ms);  // takes the place in the queue
    weir::submit_options impatient;
    impatient.named("impatient").admit_within(5ms);  // it never gets into the queue
    co_await report(pool, impatient);
}

weir::task<> main_task() {
    weir::pool_options tiny;
    tiny.max_concurrency = 1;
    tiny.max_queue_size = 1;
    tiny.name = "deadlines";
    co_await weir::with_pool(tiny, try_deadlines);
    try {
        co_await weir::with_timeout(5ms, answer(1h));
    } catch (const weir::timed_out&) {
        std::puts("any task  stopped after 5 ms");
    }
}

int main() { weir::run(main_task()); }
