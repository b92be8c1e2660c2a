// owned: a callable that may be handed to an awaited call on every compiler.
#include <weir/pool/owned.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/pool/pool.hpp>
#include <weir/runtime/task.hpp>

#include "support/pool_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

TEST(OwnedTest, CallsWhatItHolds) {
    owned sum{[start = 10](int x) mutable { return start += x; }};
    EXPECT_EQ(sum(1), 11);
    EXPECT_EQ(sum(2), 13);
}

TEST(OwnedTest, ForwardsArgumentsAndReferences) {
    int target = 0;
    owned pick{[&target](std::unique_ptr<int> box) -> int& {
        target = *box;
        return target;
    }};
    int& referred = pick(std::make_unique<int>(7));
    EXPECT_EQ(&referred, &target);
    EXPECT_EQ(target, 7);
}

TEST(OwnedTest, HoldsWhatCanOnlyBeMoved) {
    owned first{[box = std::make_unique<int>(3)] { return *box; }};
    owned second(std::move(first));
    EXPECT_EQ(second(), 3);
}

TEST(OwnedTest, IsNoAggregateSoThatATemporaryIsDestroyedOnce) {
    const auto lambda = [text = std::string("x")] { return text.size(); };
    EXPECT_FALSE(std::is_aggregate_v<owned<std::remove_const_t<decltype(lambda)>>>);
}

TEST(OwnedTest, IsInvocableOnlyAsItsCallableIs) {
    using holds_unary = owned<int (*)(int)>;
    EXPECT_TRUE((std::invocable<holds_unary&, int>));
    EXPECT_FALSE((std::invocable<holds_unary&, std::string>));
    EXPECT_FALSE((std::invocable<holds_unary&>));
}

// Which callables stand safely beside a co_await on this compiler.
TEST(OwnedTest, ChecksTemporariesOnlyWhereTheyMightDieTwice) {
    int number = 1;
    auto trivial = [number = number] { return number; };
    auto capturing = [text = std::string("x")] { return text.size(); };
    EXPECT_TRUE(detail::safe_callable<decltype(trivial)>);
    EXPECT_TRUE(detail::safe_callable<int (*)(int)>);
    EXPECT_TRUE(detail::safe_callable<int (&)(int)>);
    EXPECT_TRUE(detail::safe_callable<decltype(capturing)&>);
    EXPECT_TRUE(detail::safe_callable<owned<decltype(capturing)>>);
    EXPECT_TRUE(detail::safe_callable<task<int>>);
    EXPECT_EQ(detail::safe_callable<decltype(capturing)>,
              !detail::destroys_awaited_temporaries_twice);
    EXPECT_EQ(detail::safe_callable<std::function<void()>>,
              !detail::destroys_awaited_temporaries_twice);
}

int read(const test::tracked& value) { return value.value(); }

// Awaits an owned that is a temporary itself, the hardest case.
task<> a_temporary_owned_dies_once(test::tracked::counts& counts) {
    pool p(test::sized(1, 1));
    const test::tracked value(counts, 6);
    const auto work = [value] { return read(value); };
    const int ran = co_await p.run(owned(work));
    EXPECT_EQ(ran, 6);
    auto handle = co_await p.submit(owned(work));
    const int submitted = co_await handle.join();
    EXPECT_EQ(submitted, 6);
    co_await p.post(owned(work));
    co_await p.drain();
}

TEST(OwnedTest, ATemporaryBesideAnAwaitDiesOnce) {
    test::tracked::counts counts;
    test::run_pool_test(a_temporary_owned_dies_once(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

}  // namespace
}  // namespace weir
