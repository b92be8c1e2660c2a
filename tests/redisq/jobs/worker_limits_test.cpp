// Who waits for the limits of a type, against a server that says what the test wants.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/envelope.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/fake_jobs.hpp"
#include "support/jobs.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::words;
using names = std::vector<std::string>;

const job_type<std::string, void, raw_payload> note("note");

std::string note_of(std::string_view text) {
    envelope job;
    job.type = "note";
    job.payload = text;
    std::string bytes;
    write_envelope(bytes, job);
    return bytes;
}

worker_options patient(duration heartbeat = 20s) {
    worker_options options = test::quick_worker(10);
    options.heartbeat = heartbeat;
    options.lease = 60s;
    options.windows = 1;
    return options;
}

// A worker of the queues a and b, and what it ran, on virtual time.
struct two_queues {
    explicit two_queues(worker_options options) : w(jobs.options(), std::move(options)) {
        w.serve("a").serve("b");
    }

    void deliver(const std::string& queue, const std::string& text) {
        entries.push_back("1-" + std::to_string(entries.size()));
        jobs.deliver("weir:{" + queue + "}:s1", entries.back(), note_of(text));
    }
    void run(task<> body) { jobs.run_with(w, with_timeout(10s, std::move(body))); }

    // Ends when the worker has taken so many jobs and nothing can go on without the test.
    task<> until_taken(std::uint64_t count) {
        while (w.stats().claimed < count || w.stats().ready != 0) {
            co_await sleep_for(1ms);
        }
        co_await test::settle();
    }

    test::virtual_loop time;
    test::fake_jobs jobs{time.loop()};
    worker w;
    names entries;
    names ran;
    event may_end;
    event is_asked;       // a rate was asked for in a
    event is_asked_in_b;  // and in b
    test::fake_redis::caller asker = nullptr;
};

// ref: outlives the worker.
task<> run_note(two_queues& both, std::string text) {
    both.ran.push_back(std::move(text));
    co_await both.may_end.wait();
}

// ref: the caller awaits at once.
task<> refuse_a(two_queues& both) {
    both.deliver("a", "of a");
    co_await both.is_asked.wait();
    // There is one place, and it is taken while nobody knows whether the first job gets it.
    both.deliver("b", "of b");
    co_await both.until_taken(2);
    EXPECT_EQ(both.ran, names());
    both.jobs.server().say_to(both.asker, "*2\r\n:0\r\n:3600000000\r\n");
    while (both.ran.empty()) {
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(both.ran, names{"of b"});
}

TEST(WorkerLimitsTest, StartsThatAreAskedForInVainLeaveTheirRoomToOtherQueues) {
    two_queues both(patient());
    both.may_end.set();
    both.jobs.says["rate"] = [&both](const words& call) -> std::string {
        if (test::fake_jobs::names_queue(call, "b")) {
            return "*2\r\n:1\r\n:0\r\n";
        }
        both.asker = both.jobs.server().asking();
        both.is_asked.set();
        return "";
    };
    handler_options one;
    one.max_concurrency = 1;
    one.rate = 1;
    both.w.on(note, [&both](std::string text) { return run_note(both, std::move(text)); }, one);
    both.run(refuse_a(both));
}

// ref: as above.
task<> cancel_the_third(two_queues& both, names& canceled) {
    for (const char* const text : {"1", "2", "3"}) {
        both.deliver("a", text);
    }
    co_await both.until_taken(3);
    EXPECT_EQ(both.ran, (names{"1", "2"}));
    // The third waits for a fourth to begin with, and has the last place.
    both.deliver("b", "of b");
    co_await both.until_taken(4);
    EXPECT_FALSE(both.is_asked_in_b.is_set());
    canceled.push_back(both.entries[2] + ".1");
    co_await both.is_asked_in_b.wait();
    both.may_end.set();
}

// ref: outlives the worker.
task<> run_notes(two_queues& both, names texts) {
    both.ran.insert(both.ran.end(), texts.begin(), texts.end());
    co_await both.may_end.wait();
}

TEST(WorkerLimitsTest, AJobThatLeavesItsBatchLeavesItsRoomToOtherQueues) {
    two_queues both(patient(20ms));
    names canceled;
    both.jobs.says["rate"] = [&both](const words& call) {
        if (test::fake_jobs::names_queue(call, "b")) {
            both.is_asked_in_b.set();
        }
        return "*2\r\n:" + call.back() + "\r\n:0\r\n";
    };
    both.jobs.says["beat"] = [&canceled](const words& call) {
        return test::fake_jobs::beat(test::fake_jobs::names_queue(call, "a") ? canceled : names());
    };
    batch_options options;
    options.max_jobs = 2;
    options.linger = 60s;
    options.each.max_concurrency = 3;
    options.each.rate = 1'000;
    both.w.on_batch(
        note, [&both](names texts) { return run_notes(both, std::move(texts)); }, options);
    both.run(cancel_the_third(both, canceled));
    EXPECT_EQ(both.w.stats().canceled, 1U);
}

}  // namespace
}  // namespace weir::redisq
