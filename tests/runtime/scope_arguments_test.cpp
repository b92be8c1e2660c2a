// How long the arguments of scope::spawn live.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/runtime/scope.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using words = std::vector<std::string>;

// Longer than what a string holds in itself, so that a dangling one shows.
std::string word(int number) {
    return "word " + std::to_string(number) + ", with a tail that needs memory of its own";
}

// ref: what is under test.
task<> say_reference(const std::string& text, words* said) {
    co_await yield();
    said->push_back(text);
}

// ref: what is under test.
task<> say_moved(std::string&& text, words* said) {
    co_await yield();
    said->push_back(text);
}

// ref: what is under test.
task<> say_view(std::string_view text, words* said) {
    co_await yield();
    said->emplace_back(text);
}

// ref: what is under test.
task<> say_span(std::span<const char> text, words* said) {
    co_await yield();
    said->emplace_back(text.begin(), text.end());
}

task<> say_value(std::string text, words* said) {
    co_await yield();
    said->push_back(std::move(text));
}

task<> spawn_temporaries(words* said) {
    scope s;
    s.spawn(say_reference, word(0), said);
    s.spawn(say_moved, word(1), said);
    s.spawn(say_view, word(2), said);
    const std::string letters = word(3);
    s.spawn(say_span, std::vector<char>(letters.begin(), letters.end()), said);
    s.spawn(say_value, word(4), said);
    s.spawn_named("named", say_view, word(5), said);
    // A callable whose parameters cannot be seen.
    const auto generic = [](const auto& text, words* to) { return say_reference(text, to); };
    s.spawn(generic, word(6), said);
    co_await s.join();
}

TEST(ScopeArgumentsTest, TemporariesLiveAsLongAsTheTask) {
    words said;
    test::run_test(spawn_temporaries(&said));
    ASSERT_EQ(said.size(), 7U);
    for (int number = 0; number < 7; ++number) {
        EXPECT_NE(std::ranges::find(said, word(number)), said.end()) << number;
    }
}

task<> change(std::string& text) {
    co_await yield();
    text = "changed";
}

task<> spawn_on_a_variable(std::string* seen) {
    std::string text = "as it was";
    scope s;
    s.spawn(change, text);
    co_await s.join();
    *seen = text;
}

TEST(ScopeArgumentsTest, AVariableIsPassedAsItself) {
    std::string seen;
    test::run_test(spawn_on_a_variable(&seen));
    EXPECT_EQ(seen, "changed");
}

}  // namespace
}  // namespace weir
