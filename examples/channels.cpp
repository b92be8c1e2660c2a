// A pipeline: one producer, four workers, one consumer, and two channels of eight between them.
// A full channel makes its senders wait, so the slowest stage sets the pace of all; closing a
// channel lets its receivers drain it, so nothing that was sent is lost.
//
// Ctrl-C ends it early: the stop reaches every stage at its await.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <weir/runtime.hpp>

#include "command_line.hpp"
#include "run_until_signal.hpp"

using namespace std::chrono_literals;

constexpr int workers = 4;

struct pipeline {
    weir::channel<int> numbers{8};
    weir::channel<long> squares{8};
    weir::latch working{workers};
};

// The stages share a pipeline that lives in the frame which waits for them all.
weir::task<> produce(pipeline* p, int count) {
    for (int number = 1; number <= count; ++number) {
        co_await p->numbers.send(number);
    }
    p->numbers.close();
}

weir::task<> work(pipeline* p) {
    while (auto number = co_await p->numbers.receive()) {  // empty when closed and drained
        co_await weir::sleep_for(100us);
        const long root = *number;
        co_await p->squares.send(root * root);
    }
    p->working.count_down();
}

weir::task<> close_when_done(pipeline* p) {
    co_await p->working.wait();
    p->squares.close();
}

weir::task<long> consume(pipeline* p) {
    long sum = 0;
    while (auto square = co_await p->squares.receive()) {
        sum += *square;
    }
    co_return sum;
}

weir::task<long> run_stages(weir::scope& s, pipeline* p, int count) {
    s.spawn_named("producer", produce, p, count);
    for (int worker = 0; worker < workers; ++worker) {
        s.spawn_named("worker", work, p);
    }
    s.spawn_named("closer", close_when_done, p);
    co_return co_await consume(p);
}

weir::task<> main_task(int count) {
    pipeline p;
    const long sum = co_await weir::with_scope(run_stages, &p, count);
    std::printf("the sum of the squares of 1 to %d is %ld\n", count, sum);
}

int main(int argc, char** argv) {
    std::uint64_t count = 1'000;
    example::command_line line("channels", "A pipeline of producer, workers and consumer.");
    line.number("--count", count, 1, 1'000'000, "numbers to square");
    if (const std::optional<int> code = line.parse(argc, argv)) {
        return *code;
    }
    return example::run_until_signal("channels", main_task(static_cast<int>(count)));
}
