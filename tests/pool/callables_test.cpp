// What can be submitted: functions, lambdas, tasks, members; plain and coroutine; with values,
// references and what can only be moved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;

int add(int left, int right) { return left + right; }
void increment(int& counter) { ++counter; }
std::string joined(const std::string& left, std::string right) { return left + right; }

task<> plain_functions_work() {
    pool p(sized(1, 1));
    int counter = 0;
    const int sum = co_await p.run(add, 1, 2);
    EXPECT_EQ(sum, 3);
    co_await p.run(increment, std::ref(counter));
    co_await p.post(increment, std::ref(counter));
    auto handle = co_await p.submit(increment, std::ref(counter));
    co_await handle.join();
    EXPECT_EQ(counter, 3);
    const std::string text = co_await p.run(joined, "left ", std::string("right"));
    EXPECT_EQ(text, "left right");
    auto tried = p.try_submit(add, 3, 4);
    const int later = co_await tried->join();
    EXPECT_EQ(later, 7);
}

TEST(PoolCallablesTest, PlainFunctionsNeedNoCoroutine) { run_pool_test(plain_functions_work()); }

task<> plain_functions_wait_for_a_slot() {
    pool p(sized(1, 1));
    gated at;
    int counter = 0;
    co_await p.post(gated_job, std::ref(at), 1);
    auto handle = co_await p.submit(increment, std::ref(counter));
    co_await settle();
    EXPECT_EQ(counter, 0);
    at.go.set();
    co_await handle.join();
    EXPECT_EQ(counter, 1);
}

TEST(PoolCallablesTest, PlainFunctionsWaitForASlotToo) {
    run_pool_test(plain_functions_wait_for_a_slot());
}

task<> change_both(int copied, int& referred) {
    ++copied;
    ++referred;
    co_await settle();
    ++referred;
}

task<> only_ref_refers() {
    pool p(sized(1, 0));
    int copied = 1;
    int referred = 1;
    co_await p.run(change_both, copied, std::ref(referred));
    EXPECT_EQ(copied, 1);
    EXPECT_EQ(referred, 3);
}

TEST(PoolCallablesTest, ArgumentsAreCopiesUnlessStdRefSaysOtherwise) {
    run_pool_test(only_ref_refers());
}

task<> arguments_are_copied_at_the_call() {
    pool p(sized(1, 1));
    gated at;
    std::string text = "as submitted";
    co_await p.post(gated_job, std::ref(at), 1);
    auto handle = co_await p.submit(joined, text, std::string("!"));
    text = "changed later";
    at.go.set();
    const std::string result = co_await handle.join();
    EXPECT_EQ(result, "as submitted!");
}

TEST(PoolCallablesTest, ArgumentsAreThoseOfTheCall) {
    run_pool_test(arguments_are_copied_at_the_call());
}

task<int> read_box(std::unique_ptr<int> box) {
    co_await settle();
    co_return *box;
}
int read_box_plainly(std::unique_ptr<int> box) { return *box; }

task<> move_only_arguments_work() {
    pool p(sized(1, 2));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    auto coroutine = co_await p.submit(read_box, std::make_unique<int>(1));
    auto plain = co_await p.submit(read_box_plainly, std::make_unique<int>(2));
    at.go.set();
    const int first = co_await coroutine.join();
    const int second = co_await plain.join();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
    co_await p.post(read_box, std::make_unique<int>(3));
    co_await p.drain();
}

TEST(PoolCallablesTest, ArgumentsMayBeMoveOnly) { run_pool_test(move_only_arguments_work()); }

struct account {
    int balance = 10;
    task<int> withdraw(int amount) {
        co_await settle();
        balance -= amount;
        co_return balance;
    }
    int read() const { return balance; }
};

task<> members_work() {
    pool p(sized(1, 0));
    account a;
    const int left = co_await p.run(&account::withdraw, &a, 3);
    EXPECT_EQ(left, 7);
    const int read = co_await p.run(&account::read, std::cref(a));
    EXPECT_EQ(read, 7);
}

TEST(PoolCallablesTest, MembersAreInvoked) { run_pool_test(members_work()); }

task<> lambdas_work() {
    pool p(sized(1, 1));
    const int plain = co_await p.run([](int x) { return x + 1; }, 1);
    EXPECT_EQ(plain, 2);
    const int coroutine = co_await p.run([](int x) { return value_job(x); }, 3);
    EXPECT_EQ(coroutine, 3);
    int counter = 0;
    auto counting = [&counter] { return ++counter; };
    const int first = co_await p.run(counting);
    const int second = co_await p.run(std::ref(counting));
    EXPECT_EQ(first + second, 3);
    EXPECT_EQ(counter, 2);
}

TEST(PoolCallablesTest, LambdasAreCallables) { run_pool_test(lambdas_work()); }

// Counts how often it was called; mutable state.
struct counting_callable {
    int calls = 0;
    int operator()() { return ++calls; }
};

task<> every_job_has_its_own_copy() {
    pool p(sized(1, 0));
    counting_callable counting;
    const int first = co_await p.run(counting);
    const int second = co_await p.run(counting);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_EQ(counting.calls, 0);
    co_await p.run(std::ref(counting));
    EXPECT_EQ(counting.calls, 1);
}

TEST(PoolCallablesTest, EachJobHasItsOwnCopyOfTheCallable) {
    run_pool_test(every_job_has_its_own_copy());
}

task<> std_functions_work() {
    pool p(sized(1, 0));
    const std::function<int(int)> twice = [](int x) { return 2 * x; };
    const int value = co_await p.run(twice, 4);
    EXPECT_EQ(value, 8);
    owned<std::move_only_function<task<int>(int)>> moved(
        std::move_only_function<task<int>(int)>([](int x) { return value_job(x); }));
    const int other = co_await p.run(std::move(moved), 5);
    EXPECT_EQ(other, 5);
}

TEST(PoolCallablesTest, StdFunctionsAreCallables) { run_pool_test(std_functions_work()); }

task<int> never_called(int* calls) {
    ++*calls;
    co_return 0;
}

task<> a_callable_runs_when_granted() {
    pool p(sized(1, 1));
    gated at;
    int made = 0;
    int calls = 0;
    auto make = [&made, &calls] {
        ++made;
        return never_called(&calls);
    };
    co_await p.post(gated_job, std::ref(at), 1);
    auto handle = co_await p.submit(make);
    co_await settle();
    EXPECT_EQ(made, 0);
    handle.cancel();
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(made, 0);
    EXPECT_EQ(calls, 0);
}

TEST(PoolCallablesTest, ACallableIsInvokedOnlyWhenASlotIsGranted) {
    run_pool_test(a_callable_runs_when_granted());
}

// Tells when it is gone.
struct fragile {
    explicit fragile(int number) : value(number) {}
    fragile(const fragile&) = default;
    fragile& operator=(const fragile&) = default;
    ~fragile() { value = -1; }
    int value;
};

// ref: what this test is about: the argument lives in the pool until the body has ended.
task<> read_it_later(const fragile& argument, std::vector<int>& seen) {
    co_await yield();
    seen.push_back(argument.value);
}

task<> post_what_is_taken_by_reference(std::vector<int>& seen) {
    pool p(sized(1, 2));
    co_await p.post(read_it_later, fragile(7), std::ref(seen));  // into a free slot
    co_await p.post(read_it_later, fragile(8), std::ref(seen));  // into the queue
    co_await p.drain();
}

TEST(PoolCallablesTest, AnArgumentThatIsTakenByReferenceOutlivesTheBody) {
    std::vector<int> seen;
    run_pool_test(post_what_is_taken_by_reference(seen));
    EXPECT_EQ(seen, (std::vector<int>{7, 8}));
}

}  // namespace
}  // namespace weir
