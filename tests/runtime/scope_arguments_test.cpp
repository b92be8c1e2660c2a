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

// ref: what is under test.
task<> say_number(const int& number, std::vector<int>* said) {
    co_await yield();
    said->push_back(number);
}

task<> say_pointed(const char* text, words* said) {
    co_await yield();
    said->emplace_back(text);
}

// Converts to a pointer into itself.
class held_text {
  public:
    explicit held_text(int number) : text_(word(number)) {}
    held_text(held_text&&) = default;
    held_text& operator=(held_text&&) = default;
    ~held_text() { std::ranges::fill(text_, '-'); }
    // NOLINTNEXTLINE(google-explicit-constructor): what is under test
    operator const char*() const { return text_.c_str(); }

  private:
    std::string text_;
};

task<> spawn_scalars(std::vector<int>* numbers, words* said) {
    scope s;
    const auto generic = [](const auto& number, std::vector<int>* to) {
        return say_number(number, to);
    };
    for (int number = 0; number < 3; ++number) {
        s.spawn(generic, int(number), numbers);
        s.spawn(say_pointed, held_text(number), said);
    }
    co_await s.join();
}

TEST(ScopeArgumentsTest, TemporaryScalarsAndTheTargetsOfPointersLiveAsLongAsTheTask) {
    std::vector<int> numbers;
    words said;
    test::run_test(spawn_scalars(&numbers, &said));
    std::ranges::sort(numbers);
    std::ranges::sort(said);
    EXPECT_EQ(numbers, std::vector({0, 1, 2}));
    EXPECT_EQ(said, words({word(0), word(1), word(2)}));
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
