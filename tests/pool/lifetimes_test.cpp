// Who lives how long: callables, arguments, frames, slots, and the order in which they go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/stop.hpp>

#include "support/pool_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::tracked;
using test::value_job;
using testing::ElementsAre;

using log_type = std::vector<std::string>;

// Writes what it is, and how many slots are taken, into a log when it dies.
class epitaph {
  public:
    epitaph(log_type& log, const pool& p, std::string name)
        : log_(&log), pool_(&p), name_(std::move(name)) {}
    epitaph(epitaph&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)), pool_(other.pool_), name_(other.name_) {}
    epitaph& operator=(epitaph&&) = delete;
    ~epitaph() {
        if (log_ != nullptr) {
            log_->push_back(name_ +
                            " dies with slots taken: " + std::to_string(pool_->stats().running));
        }
    }

  private:
    log_type* log_;
    const pool* pool_;
    std::string name_;
};

// Has an argument in its frame, and the pool keeps the callable.
struct mourned_callable {
    epitaph callable;
    task<> operator()(epitaph argument, gated& at) { return body(std::move(argument), at); }
    static task<> body(epitaph, gated& at) { co_await at.go.wait(); }
};

task<> await_and_tell(pool& p, join_handle<>& handle, log_type& log) {
    co_await handle.join();
    log.push_back("awaiter resumes with slots taken: " + std::to_string(p.stats().running));
}

task<> things_end_in_order() {
    log_type log;
    pool p(sized(1, 0));
    gated at;
    scope s;
    {
        owned<mourned_callable> work{mourned_callable(epitaph(log, p, "callable"))};
        epitaph argument(log, p, "argument");
        auto handle = co_await p.submit(std::move(work), std::move(argument), std::ref(at));
        s.spawn(await_and_tell(p, handle, log));
        co_await settle();
        EXPECT_TRUE(log.empty());
        at.go.set();
        co_await s.join();
    }
    EXPECT_THAT(
        log, ElementsAre("argument dies with slots taken: 1", "callable dies with slots taken: 1",
                         "awaiter resumes with slots taken: 0"));
}

TEST(PoolLifetimesTest, FrameThenCallableThenSlotThenAwaiter) {
    run_pool_test(things_end_in_order());
}

task<> posted_things_end_in_order() {
    log_type log;
    pool p(sized(1, 0));
    gated at;
    {
        owned<mourned_callable> work{mourned_callable(epitaph(log, p, "callable"))};
        epitaph argument(log, p, "argument");
        co_await p.post(std::move(work), std::move(argument), std::ref(at));
    }
    EXPECT_TRUE(log.empty());
    at.go.set();
    co_await p.drain();
    log.push_back("drained");
    EXPECT_THAT(log, ElementsAre("argument dies with slots taken: 1",
                                 "callable dies with slots taken: 1", "drained"));
}

TEST(PoolLifetimesTest, APostedJobIsGoneBeforeItsSlotIsFree) {
    run_pool_test(posted_things_end_in_order());
}

// The body uses the callable's members after it has suspended.
struct stateful {
    std::unique_ptr<std::string> state;
    task<std::string> operator()() { return read(this); }
    static task<std::string> read(stateful* self) {
        co_await settle();
        co_return *self->state;
    }
};

task<> the_callable_outlives_its_frame() {
    pool p(sized(1, 1));
    owned<stateful> submitted{stateful(std::make_unique<std::string>("first"))};
    auto handle = co_await p.submit(std::move(submitted));
    owned<stateful> posted{stateful(std::make_unique<std::string>("second"))};
    co_await p.post(std::move(posted));
    const std::string text = co_await handle.join();
    EXPECT_EQ(text, "first");
    owned<stateful> run{stateful(std::make_unique<std::string>("third"))};
    const std::string ran = co_await p.run(std::move(run));
    EXPECT_EQ(ran, "third");
    co_await p.drain();
}

TEST(PoolLifetimesTest, TheCallableLivesAsLongAsItsFrame) {
    run_pool_test(the_callable_outlives_its_frame());
}

task<int> use_tracked(tracked argument, gated& at) {
    co_await at.go.wait();
    co_return argument.value();
}

task<> a_lambda_lvalue_is_copied(tracked::counts& counts) {
    pool p(sized(1, 3));
    gated at;
    {
        tracked capture(counts, 3);
        const auto work = [capture, &at] { return use_tracked(capture, at); };
        auto running = co_await p.submit(work);
        auto queued = co_await p.submit(work);
        co_await p.post(work);
        auto canceled_job = co_await p.submit(work);
        canceled_job.cancel();
        at.go.set();
        const int first = co_await running.join();
        const int second = co_await queued.join();
        EXPECT_EQ(first + second, 6);
        const int third = co_await p.run(work);
        EXPECT_EQ(third, 3);
    }
    co_await p.drain();
    EXPECT_EQ(counts.alive(), 0);
}

TEST(PoolLifetimesTest, ALambdaLvalueIsCopiedAndEveryCopyDiesOnce) {
    tracked::counts counts;
    run_pool_test(a_lambda_lvalue_is_copied(counts));
    EXPECT_GT(counts.constructed, 5);
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

task<> owned_lambdas_balance(tracked::counts& counts) {
    pool p(sized(1, 2));
    gated at;
    tracked capture(counts, 4);
    owned running{[capture, &at] { return use_tracked(capture, at); }};
    owned queued{[capture, &at] { return use_tracked(capture, at); }};
    owned posted{[capture, &at] { return use_tracked(capture, at); }};
    auto first = co_await p.submit(std::move(running));
    auto second = co_await p.submit(std::move(queued));
    co_await p.post(std::move(posted));
    at.go.set();
    const int one = co_await first.join();
    const int two = co_await second.join();
    EXPECT_EQ(one + two, 8);
    co_await p.drain();
}

TEST(PoolLifetimesTest, OwnedLambdasDieAsOftenAsTheyAreMade) {
    tracked::counts counts;
    run_pool_test(owned_lambdas_balance(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

// Submits in every way, to every end.
task<> arguments_balance(tracked::counts& counts) {
    pool p(sized(1, 1));
    gated at;
    const tracked argument(counts, 1);
    auto running = co_await p.submit(use_tracked, argument, std::ref(at));
    auto queued = co_await p.submit(use_tracked, argument, std::ref(at));
    const auto refused = p.try_submit(use_tracked, argument, std::ref(at));
    EXPECT_FALSE(refused.has_value());
    stop_source source;
    std::string parked;
    scope s;
    s.spawn(test::keep_ending(
        test::ending_of(with_stop(source, test::posted(p, use_tracked, argument, std::ref(at)))),
        parked));
    co_await settle();
    source.request_stop();
    queued.cancel();
    const int before = counts.alive();
    running.cancel();
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(parked, "canceled");
    EXPECT_LT(counts.alive(), before);
    EXPECT_EQ(counts.alive(), 1);
}

TEST(PoolLifetimesTest, ArgumentsDieOnceInEveryWayAJobMayEnd) {
    tracked::counts counts;
    run_pool_test(arguments_balance(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

task<> a_canceled_queued_job_frees_its_arguments(tracked::counts& counts) {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(use_tracked, tracked(counts, 1), std::ref(at));
    EXPECT_EQ(counts.alive(), 1);
    queued.cancel();
    EXPECT_EQ(counts.alive(), 0);
    at.go.set();
    co_await p.drain();
}

TEST(PoolLifetimesTest, ACanceledQueuedJobFreesItsArgumentsAtOnce) {
    tracked::counts counts;
    run_pool_test(a_canceled_queued_job_frees_its_arguments(counts));
}

task<> a_handle_outlives_its_job(tracked::counts& counts) {
    pool p(sized(1, 0));
    gated at;
    at.go.set();
    auto handle = co_await p.submit(use_tracked, tracked(counts, 5), std::ref(at));
    co_await settle();
    EXPECT_EQ(counts.alive(), 0);
    EXPECT_EQ(p.stats().running, 0U);
    const int value = co_await handle.join();
    EXPECT_EQ(value, 5);
}

TEST(PoolLifetimesTest, AHandleKeepsTheResultAndNothingElse) {
    tracked::counts counts;
    run_pool_test(a_handle_outlives_its_job(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

}  // namespace
}  // namespace weir
