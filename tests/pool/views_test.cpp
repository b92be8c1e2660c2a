// A posted body may look at an argument through a view for as long as it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weir/pool/pool.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::run_pool_test;
using test::settle;
using test::sized;
using testing::Each;
using testing::ElementsAre;

const std::string long_text = "a text that is too long to be kept inside of its string object";

// What a body reads after it was suspended. ref: what they read and write outlives the pool.
task<> read_view(std::string_view text, std::vector<std::string>& out) {
    co_await settle();
    out.emplace_back(text);
}
// ref: what it views is the argument, which the pool keeps.
task<> add_up(std::span<const int> numbers, std::vector<int>& out) {
    co_await settle();
    out.push_back(std::accumulate(numbers.begin(), numbers.end(), 0));
}
// Holds a view, and is made of a string without a word at the call.
struct holder {
    std::string_view text;
    holder(const std::string& source) : text(source) {}  // NOLINT(*-explicit-*): what is tested
};
task<> read_holder(holder held, std::vector<std::string>& out) {
    co_await settle();
    out.emplace_back(held.text);
}
task<> read_characters(const char* text, std::vector<std::string>& out) {
    co_await settle();
    out.emplace_back(text);
}
// Converts to a pointer into itself.
struct buffer {
    std::string text = long_text;
    operator const char*() const { return text.c_str(); }  // NOLINT(*-explicit-*): what is tested
};

// The first starts at once in a free slot, the second comes out of the queue, the third was parked.
task<> views_of_arguments() {
    std::vector<std::string> read;
    std::vector<int> sums;
    pool p(sized(1, 1));
    for (int turn = 0; turn < 3; ++turn) {
        co_await p.post(read_view, long_text, std::ref(read));
    }
    for (int turn = 0; turn < 3; ++turn) {
        co_await p.post(read_holder, long_text, std::ref(read));
    }
    const std::vector<int> ones(1000, 1);
    for (int turn = 0; turn < 3; ++turn) {
        co_await p.post(add_up, ones, std::ref(sums));
    }
    co_await p.drain();
    EXPECT_EQ(read.size(), 6U);
    EXPECT_THAT(read, Each(long_text));
    EXPECT_THAT(sums, ElementsAre(1000, 1000, 1000));
}

TEST(PoolViewsTest, ABodyMayViewTheArgumentThatItsParameterIsMadeOf) {
    run_pool_test(views_of_arguments());
}

task<> pointers_into_arguments() {
    std::vector<std::string> read;
    pool p(sized(1, 1));
    for (int turn = 0; turn < 3; ++turn) {
        const buffer source;
        co_await p.post(read_characters, source, std::ref(read));
    }
    co_await p.post(read_characters, "a literal", std::ref(read));
    co_await p.drain();
    EXPECT_THAT(read, ElementsAre(long_text, long_text, long_text, "a literal"));
}

TEST(PoolViewsTest, ABodyMayKeepAPointerThatItsArgumentWasTurnedInto) {
    run_pool_test(pointers_into_arguments());
}

task<> every_way_in() {
    std::vector<std::string> read;
    pool p(sized(1, 0));
    auto handle = co_await p.submit(read_view, long_text, std::ref(read));
    co_await handle.join();
    co_await p.run(read_view, long_text, std::ref(read));
    const auto view = [&read](std::string_view text) { return read_view(text, read); };
    const std::vector<std::string> texts(2, long_text);
    co_await p.batch_run(view, texts);
    submit_options named;
    named.named("view");
    co_await p.post(named, read_view, long_text, std::ref(read));
    co_await p.post(view, long_text);
    co_await p.drain();
    EXPECT_EQ(read.size(), 6U);
    EXPECT_THAT(read, Each(long_text));
}

TEST(PoolViewsTest, SoMayTheBodyOfEveryOtherWayIn) { run_pool_test(every_way_in()); }

// What starts in place is what the million-task program posts: an argument taken as it is, a number
// of another width, a pointer, a reference.
struct taken_whole {};
enum class colour { red };

static_assert(detail::keeps_no_argument<taken_whole, taken_whole>);
static_assert(detail::keeps_no_argument<std::unique_ptr<int>, std::unique_ptr<int>>);
static_assert(detail::keeps_no_argument<long, int>);
static_assert(detail::keeps_no_argument<colour, colour>);
static_assert(detail::keeps_no_argument<const void*, int*>);
static_assert(detail::keeps_no_argument<int*, std::nullptr_t>);
static_assert(detail::keeps_no_argument<int&, std::reference_wrapper<int>>);
static_assert(!detail::keeps_no_argument<int&, int>);
static_assert(!detail::keeps_no_argument<const std::string&, std::string>);
static_assert(!detail::keeps_no_argument<std::string&&, std::string>);
static_assert(!detail::keeps_no_argument<std::string_view, std::string>);
static_assert(!detail::keeps_no_argument<std::span<const int>, std::vector<int>>);
static_assert(!detail::keeps_no_argument<const char*, buffer>);
static_assert(!detail::keeps_no_argument<std::function<void()>, void (*)()>);

}  // namespace
}  // namespace weir
