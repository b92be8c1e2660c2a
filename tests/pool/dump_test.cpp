// pool::dump names every slot, the queue, and who waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using testing::HasSubstr;
using testing::Not;

submit_options named(const char* name) { return submit_options().named(name); }

pool_options named_pool(const char* name, std::size_t concurrency, std::size_t queue) {
    pool_options options = sized(concurrency, queue);
    options.name = name;
    return options;
}

task<> an_empty_pool() {
    const pool p(named_pool("idle", 2, 3));
    EXPECT_EQ(p.dump(), "pool \"idle\": 0 of 2 slots, 0 of 3 queued, 0 parked\n");
    co_return;
}

TEST(PoolDumpTest, AnEmptyPoolIsOneLine) { run_pool_test(an_empty_pool()); }

task<> post_as(pool& p, gated& at) {
    co_await name_task("crawler");
    co_await p.post(gated_job, std::ref(at), 4);
}

task<> join(scope& s) { co_await s.join(); }

task<> a_full_pool() {
    pool p(named_pool("full", 1, 2));
    gated at;
    const submit_options fetch = named("fetch");
    const submit_options parse = named("parse");
    auto running = co_await p.submit(fetch, gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(parse, gated_job, std::ref(at), 2);
    co_await p.post(gated_job, std::ref(at), 3);
    scope s;
    s.spawn(post_as(p, at));
    co_await sleep_for(5ms);
    const std::string text = p.dump();
    EXPECT_THAT(text, HasSubstr("pool \"full\": 1 of 1 slots, 2 of 2 queued, 1 parked\n"));
    EXPECT_THAT(text, HasSubstr("slot: job 1 \"fetch\", awaits event for 5.0"));
    EXPECT_THAT(text, HasSubstr("queued: job 2 \"parse\"\n"));
    EXPECT_THAT(text, HasSubstr("queued: job 3 \"job\"\n"));
    EXPECT_THAT(text, HasSubstr("of task \"crawler\"\n"));
    running.cancel();
    EXPECT_THAT(p.dump(), HasSubstr("stop requested"));
    p.close();
    EXPECT_THAT(p.dump(), HasSubstr("0 parked, closed\n"));
    at.go.set();
    const std::string parked = co_await test::ending_of(join(s));
    EXPECT_EQ(parked, "closed");
    co_await p.drain();
}

TEST(PoolDumpTest, NamesSlotsQueueAndWhoIsParked) { run_pool_test(a_full_pool()); }

task<> granted_jobs() {
    pool p(sized(2, 0));
    auto first = p.try_submit(test::value_job, 1);
    EXPECT_THAT(p.dump(), HasSubstr("slot: job 1 \"job\", starts next\n"));
    co_await first->join();
    EXPECT_EQ(p.dump(), "pool \"pool\": 0 of 2 slots, 0 of 0 queued, 0 parked\n");
}

TEST(PoolDumpTest, NamesWhatStartsNext) { run_pool_test(granted_jobs()); }

task<> look_inside(pool& p, std::string& text) {
    text = p.dump();
    co_return;
}

task<> running_jobs() {
    pool p(sized(1, 0));
    std::string text;
    co_await p.run(look_inside, std::ref(p), std::ref(text));
    EXPECT_THAT(text, HasSubstr("slot: job 1 \"job\", runs\n"));
}

TEST(PoolDumpTest, NamesWhatRuns) { run_pool_test(running_jobs()); }

task<> run_named(pool& p, gated& at) {
    const submit_options guest = named("guest");
    co_await p.run(guest, gated_job, std::ref(at), 2);
}

task<> guests() {
    pool p(sized(1, 0));
    gated at;
    const submit_options host = named("host");
    auto handle = co_await p.submit(host, run_named, std::ref(p), std::ref(at));
    const std::string text = p.dump();
    EXPECT_THAT(text, HasSubstr("1 of 1 slots"));
    EXPECT_THAT(text, HasSubstr("slot: job 1 \"host\", awaits a job"));
    EXPECT_THAT(text, HasSubstr("guest: job 2 \"guest\", awaits event"));
    at.go.set();
    co_await handle.join();
}

TEST(PoolDumpTest, NamesGuests) { run_pool_test(guests()); }

task<> stop_it(pool& p) { static_cast<void>(co_await p.stop()); }

task<> a_stopping_pool() {
    pool p(sized(1, 0));
    test::door at;
    co_await p.post(test::stubborn_job, std::ref(at), 1);
    scope s;
    s.spawn(stop_it(p));
    co_await settle();
    EXPECT_THAT(p.dump(), HasSubstr("0 parked, stopping\n"));
    EXPECT_THAT(p.dump(), HasSubstr("awaits door"));
    EXPECT_THAT(p.dump(), HasSubstr("stop requested"));
    at.open();
    co_await s.join();
}

TEST(PoolDumpTest, SaysThatItStops) { run_pool_test(a_stopping_pool()); }

task<> names_itself(gated& at) {
    co_await name_task("reader");
    co_await at.go.wait();
}

task<> names_are_each_jobs_own() {
    pool p(sized(1, 1));
    gated at;
    gated later;
    co_await p.post(names_itself, std::ref(at));
    EXPECT_THAT(p.dump(), HasSubstr("slot: job 1 \"reader\""));
    co_await p.post(gated_job, std::ref(later), 2);
    at.go.set();
    co_await settle();
    EXPECT_THAT(p.dump(), HasSubstr("slot: job 2 \"job\""));
    later.go.set();
    co_await settle();
    gated last;
    co_await p.post(gated_job, std::ref(last), 3);
    EXPECT_THAT(p.dump(), HasSubstr("slot: job 3 \"job\""));
    last.go.set();
    co_await p.drain();
}

TEST(PoolDumpTest, AJobThatNamesItselfNamesNoOther) { run_pool_test(names_are_each_jobs_own()); }

task<> the_loop_shows_the_pool() {
    pool p(named_pool("shown", 1, 1));
    gated at;
    const submit_options fetch = named("fetch");
    auto handle = co_await p.submit(fetch, gated_job, std::ref(at), 1);
    const std::string text = event_loop::current()->dump();
    EXPECT_THAT(text, HasSubstr("shown"));
    EXPECT_THAT(text, HasSubstr("fetch: awaits event"));
    at.go.set();
    co_await handle.join();
    co_await p.post(test::value_job, 1);
    EXPECT_THAT(event_loop::current()->dump(), Not(HasSubstr("job: ready")))
        << "a spare record is no task";
}

TEST(PoolDumpTest, TheLoopsDumpShowsThePoolsJobs) { run_pool_test(the_loop_shows_the_pool()); }

task<> ran_named(pool& p, submit_options options, gated& at) {
    co_await p.run(options, gated_job, std::ref(at), 1);
}
task<> drain_named(pool& p) {
    co_await name_task("closer");
    co_await p.drain();
}
task<> names_itself_nothing(gated& at) {
    co_await name_task(nullptr);
    co_await at.go.wait();
}

task<> run_two_named(pool& p, gated& at) {
    const submit_options first = named("first");
    const submit_options second = named("second");
    scope s;
    s.spawn(ran_named(p, first, at));
    s.spawn(ran_named(p, second, at));
    co_await s.join();
}

task<> waiters() {
    pool p(sized(1, 0));
    gated at;
    const submit_options host = named("host");
    auto handle = co_await p.submit(host, run_two_named, std::ref(p), std::ref(at));
    co_await settle();
    EXPECT_THAT(p.dump(), HasSubstr("guest: job 2 \"first\", awaits event"));
    EXPECT_THAT(p.dump(),
                HasSubstr("waiting: job 3 \"second\" for its turn on the slot of job 1\n"));
    scope s;
    s.spawn(drain_named(p));
    co_await settle();
    EXPECT_THAT(p.dump(), HasSubstr("task \"closer\", awaits a pool's drain for 0.000 ms\n"));
    at.go.set();
    co_await handle.join();
    co_await s.join();
}

TEST(PoolDumpTest, NamesWhoWaitsForATurnAndForTheEnd) { run_pool_test(waiters()); }

task<> nameless() {
    pool p(named_pool(nullptr, 1, 1));
    gated at;
    co_await p.post(names_itself_nothing, std::ref(at));
    const submit_options without = named(nullptr);
    co_await p.post(without, gated_job, std::ref(at), 1);
    const std::string text = p.dump();
    EXPECT_THAT(text, HasSubstr("pool \"pool\": 1 of 1"));
    EXPECT_THAT(text, HasSubstr("slot: job 1 \"job\", awaits event"));
    EXPECT_THAT(text, HasSubstr("queued: job 2 \"job\"\n"));
    at.go.set();
    co_await p.drain();
}

TEST(PoolDumpTest, ANullNameIsTheDefault) { run_pool_test(nameless()); }

}  // namespace
}  // namespace weir
