#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/file/errors.hpp>
#include <weir/runtime/file/line_reader.hpp>
#include <weir/runtime/nop.hpp>

#include "support/allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

// Yields `text` in steps of at most `step` bytes, each after a round trip, and an error at `bad`.
class text_source {
  public:
    text_source(std::string text, std::size_t step, std::size_t bad = SIZE_MAX)
        : text_(std::move(text)), step_(step), bad_(bad) {}

    // ref: the caller's memory outlives the await.
    task<result<std::size_t>> read_some(std::span<std::byte> into) {
        EXPECT_FALSE(into.empty());
        co_await nop();
        if (at_ == bad_) {
            bad_ = SIZE_MAX;
            co_return std::unexpected(std::make_error_code(std::errc::io_error));
        }
        const std::size_t count = std::min({step_, text_.size() - at_, into.size(), bad_ - at_});
        std::ranges::copy(std::as_bytes(std::span(text_)).subspan(at_, count), into.begin());
        at_ += count;
        largest_ = std::max(largest_, into.size());
        co_return count;
    }

    [[nodiscard]] std::size_t largest() const noexcept { return largest_; }

  private:
    std::string text_;
    std::size_t step_;
    std::size_t bad_;
    std::size_t at_ = 0;
    std::size_t largest_ = 0;
};

using lines = std::vector<std::string>;

// ref: both are the test's.
task<lines> read_lines(line_reader<text_source>& reader, std::error_code& error) {
    lines found;
    while (true) {
        const auto line = co_await reader.next();
        if (!line) {
            error = line.error();
            co_return found;
        }
        if (!*line) {
            co_return found;
        }
        found.emplace_back(**line);
    }
}

struct outcome {
    lines found;
    std::error_code error;
    std::string text;
};

outcome lines_of(const std::string& text, std::size_t step, std::size_t line_max) {
    text_source source(text, step);
    line_reader<text_source> reader(source, line_max);
    outcome out;
    out.found = test::run_test(read_lines(reader, out.error));
    out.text = reader.error_text(out.error);
    return out;
}

struct expectation {
    std::string text;
    lines found;
};

// However the source cuts the text.
TEST(LineReaderTest, LinesAreTheSameHoweverTheBytesCome) {
    const std::vector<expectation> all = {
        {"", {}},
        {"\n", {""}},
        {"\r\n", {""}},
        {"a", {"a"}},
        {"a\n", {"a"}},
        {"a\r\nbc\ndef", {"a", "bc", "def"}},
        {"\n\r\n\n", {"", "", ""}},
        {"a\rb\r\n", {"a\rb"}},
        {"a\r\r\n", {"a\r"}},
        {"a\r", {"a\r"}},
        {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
    };
    for (const expectation& one : all) {
        for (std::size_t step = 1; step <= one.text.size() + 1; ++step) {
            const outcome out = lines_of(one.text, step, 10);
            EXPECT_EQ(out.found, one.found) << testing::PrintToString(one.text) << " by " << step;
            EXPECT_FALSE(out.error);
        }
    }
}

TEST(LineReaderTest, TheLimitIsAllowedAndOneMoreIsNot) {
    for (const std::size_t limit : {1U, 2U, 3U, 100U, 5000U, 10'000U}) {
        const std::string whole(limit, 'x');
        for (const char* const end : {"", "\n", "\r\n"}) {
            for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
                const outcome good = lines_of(whole + end, step, limit);
                EXPECT_EQ(good.found, lines{whole});
                EXPECT_FALSE(good.error);
                const outcome bad =
                    lines_of("ok\n" + whole + "x" + end, step, std::max<std::size_t>(limit, 2));
                if (limit >= 2) {
                    EXPECT_EQ(bad.found, lines{"ok"});
                    EXPECT_EQ(bad.error, file_errc::line_too_long);
                }
            }
        }
    }
}

TEST(LineReaderTest, TheErrorsTextNamesLineAndLimit) {
    const outcome bad = lines_of("ok\n12345\nok\n", 3, 4);
    EXPECT_EQ(bad.text, "line 2 is longer than line_max, 4 bytes");
}

task<> go_on_after_too_long(line_reader<text_source>& reader) {
    EXPECT_EQ((co_await reader.next()).error(), file_errc::line_too_long);
    EXPECT_EQ((co_await reader.next()).error(), file_errc::line_too_long);
}

TEST(LineReaderTest, ALineThatIsTooLongEndsTheReading) {
    text_source source("12345\nok\n", 100);
    line_reader<text_source> reader(source, 4);
    test::run_test(go_on_after_too_long(reader));
}

TEST(LineReaderTest, MemoryStaysWithinTheLimit) {
    text_source source(std::string(100'000, 'x'), SIZE_MAX);
    line_reader<text_source> reader(source, 6000);
    std::error_code error;
    test::run_test(read_lines(reader, error));
    EXPECT_EQ(error, file_errc::line_too_long);
    EXPECT_LE(source.largest(), 6002U);
}

TEST(LineReaderTest, AnErrorOfTheSourcePassesAndNothingIsLost) {
    text_source source("one\ntwo\n", 100, 6);
    line_reader<text_source> reader(source, 100);
    std::error_code error;
    EXPECT_EQ(test::run_test(read_lines(reader, error)), lines{"one"});
    EXPECT_EQ(error, std::errc::io_error);
    EXPECT_EQ(reader.error_text(error), "line 2: " + error.message());
    EXPECT_EQ(test::run_test(read_lines(reader, error)), lines{"two"});
    EXPECT_EQ(reader.line_count(), 2U);
}

TEST(LineReaderTest, ALimitOutOfItsRangeIsNamed) {
    text_source source("", 1);
    for (const std::size_t limit : {std::size_t{0}, (std::size_t{1} << 30) + 1}) {
        try {
            const line_reader<text_source> reader(source, limit);
            ADD_FAILURE() << limit;
        } catch (const std::invalid_argument& error) {
            EXPECT_EQ(
                std::string(error.what()),
                "line_reader: line_max is " + std::to_string(limit) + "; allowed: 1 to 1073741824");
        }
    }
}

task<std::size_t> allocations_of_warm_lines(line_reader<text_source>& reader) {
    std::size_t allocations = 1;
    for (int line = 0; line < 100; ++line) {
        const test::allocation_counter counter;
        EXPECT_TRUE((co_await reader.next()).value());
        allocations = counter.allocations();
    }
    co_return allocations;
}

TEST(LineReaderTest, WarmLinesAllocateNothing) {
    std::string text;
    for (int line = 0; line < 100; ++line) {
        text += std::string(50, 'x') + "\n";
    }
    text_source source(text, 20);
    line_reader<text_source> reader(source, 100);
    EXPECT_EQ(test::run_test(allocations_of_warm_lines(reader)), 0U);
}

}  // namespace
}  // namespace weir
