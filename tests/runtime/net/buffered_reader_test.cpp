#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/net/buffered_reader.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

// Gives its pieces one by one, never two in one read; an error where one stands among them.
class scripted_reader {
  public:
    explicit scripted_reader(std::vector<std::string> pieces)
        : pieces_(pieces.begin(), pieces.end()) {}

    static scripted_reader fragments(std::string_view text, std::size_t size) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size(); at += size) {
            pieces.emplace_back(text.substr(at, size));
        }
        return scripted_reader(std::move(pieces));
    }

    // Fails once, when the pieces before have been read.
    void then_fail(std::errc error) { fails_before_.emplace_back(pieces_.size(), error); }
    void then_give(const std::string& piece) { pieces_.push_back(piece); }

    // ref: the span outlives the await
    task<result<std::size_t>> read_some(std::span<std::byte> into) {
        ++reads;
        co_await yield();
        if (!fails_before_.empty() && fails_before_.front().first == given_) {
            const std::errc error = fails_before_.front().second;
            fails_before_.pop_front();
            co_return std::unexpected(std::make_error_code(error));
        }
        if (pieces_.empty() || into.empty()) {
            co_return std::size_t{0};
        }
        std::string& piece = pieces_.front();
        const std::size_t count = std::min(piece.size(), into.size());
        std::memcpy(into.data(), piece.data(), count);
        piece.erase(0, count);
        if (piece.empty()) {
            pieces_.pop_front();
            ++given_;
        }
        co_return count;
    }

    int reads = 0;

  private:
    std::deque<std::string> pieces_;
    std::size_t given_ = 0;
    std::deque<std::pair<std::size_t, std::errc>> fails_before_;
};
static_assert(byte_reader<scripted_reader>);
static_assert(byte_reader<buffered_reader<scripted_reader>>);

// Collects what it is given, up to a number of writes.
class collector {
  public:
    // ref: the span outlives the await
    task<result<void>> write_all(std::span<const std::byte> from) {
        co_await yield();
        if (writes_left-- == 0) {
            co_return std::unexpected(std::make_error_code(std::errc::broken_pipe));
        }
        text.append(reinterpret_cast<const char*>(from.data()), from.size());
        co_return result<void>();
    }

    std::string text;
    int writes_left = 1'000;
};
static_assert(byte_writer<collector>);

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

using reader = buffered_reader<scripted_reader>;

// Reads `count` bytes; an error stands for itself.
task<std::string> exactly(reader& in, std::size_t count) {
    std::vector<std::byte> into(count);
    const result<void> done = co_await in.read_exactly(into);
    co_return done ? text_of(into) : done.error().message();
}

task<std::string> line(reader& in, std::string delimiter, std::size_t limit = SIZE_MAX) {
    const result<std::string_view> got = co_await in.read_until(delimiter, limit);
    co_return got ? std::string(*got) : got.error().message();
}

const std::string at_end = make_error_code(net_errc::end_of_stream).message();
const std::string inside = make_error_code(net_errc::unexpected_end).message();
const std::string too_long = make_error_code(net_errc::line_too_long).message();

struct shape {
    std::size_t fragment;
    std::size_t capacity;
};

class BufferedReaderShapeTest : public testing::TestWithParam<shape> {};

task<> read_lines(shape how) {
    const std::string text = "one\r\n\r\n\rtwo\r\r\nthr\nee\r\n";
    scripted_reader source = scripted_reader::fragments(text, how.fragment);
    reader in(source, how.capacity);
    EXPECT_EQ(co_await line(in, "\r\n"), "one");
    EXPECT_EQ(co_await line(in, "\r\n"), "");
    EXPECT_EQ(co_await line(in, "\r\n"), "\rtwo\r");
    EXPECT_EQ(co_await line(in, "\r\n"), "thr\nee");
    EXPECT_EQ(in.consumed(), text.size());
    EXPECT_EQ(co_await line(in, "\r\n"), at_end);
}

TEST_P(BufferedReaderShapeTest, LinesAreWholeHoweverTheBytesArrive) {
    test::run_test(read_lines(GetParam()));
}

task<> read_blocks(shape how) {
    const std::string text = "abcdefghijklmnopqrstuvwxyz";
    scripted_reader source = scripted_reader::fragments(text, how.fragment);
    reader in(source, how.capacity);
    EXPECT_EQ(co_await exactly(in, 0), "");
    EXPECT_EQ(co_await exactly(in, 1), "a");
    EXPECT_EQ(co_await exactly(in, 5), "bcdef");
    EXPECT_EQ(co_await exactly(in, 12), "ghijklmnopqr");
    EXPECT_EQ(co_await exactly(in, 8), "stuvwxyz");
    EXPECT_EQ(co_await exactly(in, 0), "");
    EXPECT_EQ(co_await exactly(in, 1), at_end);
    EXPECT_EQ(in.consumed(), text.size());
}

TEST_P(BufferedReaderShapeTest, BlocksAreWholeHoweverTheBytesArrive) {
    test::run_test(read_blocks(GetParam()));
}

std::vector<shape> shapes() {
    std::vector<shape> all;
    for (const std::size_t fragment : {1U, 2U, 3U, 5U, 100U}) {
        for (const std::size_t capacity : {8U, 9U, 11U, 64U}) {
            all.push_back({.fragment = fragment, .capacity = capacity});
        }
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(All, BufferedReaderShapeTest, testing::ValuesIn(shapes()));

task<> cut_in_two(std::size_t at) {
    const std::string text = "key: value\r\nbody";
    scripted_reader source({text.substr(0, at), text.substr(at)});
    reader in(source, 16);
    EXPECT_EQ(co_await line(in, "\r\n"), "key: value");
    EXPECT_EQ(co_await exactly(in, 4), "body");
}

TEST(BufferedReaderTest, ADelimiterMayBeCutAnywhere) {
    for (std::size_t at = 1; at < 16; ++at) {
        test::run_test(cut_in_two(at));
    }
}

task<> limits(std::size_t fragment) {
    scripted_reader source = scripted_reader::fragments("12345\r\n123456\r\n", fragment);
    reader in(source, 32);
    EXPECT_EQ(co_await line(in, "\r\n", 5), "12345");
    EXPECT_EQ(co_await line(in, "\r\n", 5), too_long);
    EXPECT_EQ(co_await line(in, "\r\n", 5), too_long) << "nothing was consumed";
    EXPECT_EQ(in.consumed(), 7U);
    EXPECT_EQ(co_await line(in, "\r\n", 6), "123456");
}

TEST(BufferedReaderTest, ALineBeyondTheLimitIsAnErrorAndStaysUnread) {
    for (const std::size_t fragment : {1U, 2U, 6U, 100U}) {
        test::run_test(limits(fragment));
    }
}

task<> the_buffer_limits(std::size_t fragment) {
    scripted_reader source = scripted_reader::fragments("123\n1234\n", fragment);
    reader in(source, 4);
    EXPECT_EQ(co_await line(in, "\n"), "123");
    EXPECT_EQ(co_await line(in, "\n"), too_long);
    EXPECT_EQ(co_await exactly(in, 5), "1234\n");
}

TEST(BufferedReaderTest, TheBufferBoundsALine) {
    for (const std::size_t fragment : {1U, 3U, 100U}) {
        test::run_test(the_buffer_limits(fragment));
    }
}

task<> never_more_than_the_limit_is_read() {
    scripted_reader source = scripted_reader::fragments(std::string(1'000, 'x'), 1);
    reader in(source, 100);
    EXPECT_EQ(co_await line(in, "\r\n", 10), too_long);
    EXPECT_EQ(source.reads, 12);
}

TEST(BufferedReaderTest, ALineIsGivenUpAsSoonAsItIsTooLong) {
    test::run_test(never_more_than_the_limit_is_read());
}

task<> ends() {
    scripted_reader source({"abc"});
    reader in(source, 8);
    EXPECT_EQ(co_await line(in, "\n"), inside);
    EXPECT_EQ(co_await exactly(in, 4), inside);
    EXPECT_EQ(co_await exactly(in, 2), "ab") << "what was there is still there";
    EXPECT_EQ(co_await exactly(in, 1), "c");
    EXPECT_EQ(co_await exactly(in, 1), at_end);
    EXPECT_EQ(co_await exactly(in, 100), at_end);
    EXPECT_EQ(co_await line(in, "\n"), at_end);
}

TEST(BufferedReaderTest, AnEndInsideIsToldFromAnEndBetween) { test::run_test(ends()); }

task<> ends_inside_a_large_block() {
    scripted_reader source({"abc", "de"});
    reader in(source, 4);
    EXPECT_EQ(co_await exactly(in, 1), "a");
    EXPECT_EQ(co_await exactly(in, 100), inside);
    EXPECT_EQ(in.consumed(), 5U) << "tells how far it came";
}

TEST(BufferedReaderTest, AnEndInsideALargeBlockTellsHowFarItCame) {
    test::run_test(ends_inside_a_large_block());
}

task<> errors_lose_nothing() {
    scripted_reader source({"abc"});
    source.then_fail(std::errc::operation_canceled);
    source.then_give("d\n");
    reader in(source, 8);
    const std::string stopped = std::make_error_code(std::errc::operation_canceled).message();
    EXPECT_EQ(co_await line(in, "\n"), stopped);
    EXPECT_EQ(in.consumed(), 0U);
    EXPECT_EQ(co_await line(in, "\n"), "abcd");
}

TEST(BufferedReaderTest, AReadThatFailedLeavesWhatHadCome) {
    test::run_test(errors_lose_nothing());
}

task<> peeks() {
    scripted_reader source({"ab", "c"});
    reader in(source, 8);
    result<std::span<const std::byte>> seen = co_await in.peek(0);
    EXPECT_TRUE(seen && seen->empty());
    EXPECT_EQ(source.reads, 0);
    seen = co_await in.peek(1);
    EXPECT_EQ(text_of(*seen), "ab") << "all that is there";
    seen = co_await in.peek(3);
    EXPECT_EQ(text_of(*seen), "abc");
    in.consume(1);
    EXPECT_EQ(text_of(in.buffered()), "bc");
    seen = co_await in.peek(100);
    EXPECT_EQ(text_of(*seen), "bc") << "fewer at the end";
    EXPECT_EQ(in.consumed(), 1U);
    EXPECT_EQ(co_await exactly(in, 2), "bc");
}

TEST(BufferedReaderTest, PeekConsumesNothing) { test::run_test(peeks()); }

task<std::string> some(reader& in, std::size_t count) {
    std::vector<std::byte> into(count);
    const result<std::size_t> got = co_await in.read_some(into);
    if (!got) {
        co_return got.error().message();
    }
    co_return text_of(std::span(into).first(*got));
}

task<> reads_some() {
    scripted_reader source({"abcdef", "ghijkl"});
    reader in(source, 8);
    EXPECT_EQ(co_await some(in, 0), "");
    EXPECT_EQ(source.reads, 0);
    EXPECT_EQ(co_await some(in, 4), "abcd");
    EXPECT_EQ(co_await some(in, 4), "ef") << "what is buffered, without waiting for more";
    EXPECT_EQ(source.reads, 1);
    EXPECT_EQ(co_await some(in, 8), "ghijkl");
    EXPECT_TRUE(in.buffered().empty());
    EXPECT_EQ(in.consumed(), 12U);
    EXPECT_EQ(co_await some(in, 1), "");
    EXPECT_EQ(co_await some(in, 8), "");
}

TEST(BufferedReaderTest, ReadSomeGivesWhatIsThere) { test::run_test(reads_some()); }

task<> some_fails() {
    scripted_reader source({});
    source.then_fail(std::errc::connection_reset);
    source.then_fail(std::errc::connection_reset);
    reader in(source, 8);
    const std::string reset = std::make_error_code(std::errc::connection_reset).message();
    EXPECT_EQ(co_await some(in, 1), reset);
    EXPECT_EQ(co_await some(in, 8), reset);
    source.then_fail(std::errc::connection_reset);
    const result<std::span<const std::byte>> seen = co_await in.peek(1);
    EXPECT_EQ(seen.error(), std::errc::connection_reset);
    EXPECT_EQ(in.consumed(), 0U);
}

TEST(BufferedReaderTest, ReadSomeAndPeekReturnTheStreamsError) { test::run_test(some_fails()); }

task<> no_buffer() {
    scripted_reader source({"ab", "cd"});
    std::array<std::byte, 3> into{};
    const result<void> done = co_await read_exactly(source, into);
    EXPECT_TRUE(done);
    EXPECT_EQ(text_of(into), "abc");
    result<void> ended = co_await read_exactly(source, into);
    EXPECT_EQ(ended.error(), net_errc::unexpected_end);
    ended = co_await read_exactly(source, into);
    EXPECT_EQ(ended.error(), net_errc::end_of_stream);
    ended = co_await read_exactly(source, std::span(into).first(0));
    EXPECT_TRUE(ended) << "nothing is always there";
}

TEST(BufferedReaderTest, ReadExactlyNeedsNoBuffer) { test::run_test(no_buffer()); }

task<> copies(std::size_t buffer) {
    scripted_reader source = scripted_reader::fragments("the quick brown fox", 4);
    collector sink;
    const result<std::uint64_t> count = co_await copy(source, sink, buffer);
    EXPECT_EQ(count.value_or(0), 19U);
    EXPECT_EQ(sink.text, "the quick brown fox");
}

TEST(BufferedReaderTest, CopyMovesAllUntilTheEnd) {
    for (const std::size_t buffer : {1U, 2U, 3U, 100U}) {
        test::run_test(copies(buffer));
    }
}

task<> copy_fails() {
    scripted_reader source({"ab"});
    source.then_fail(std::errc::connection_reset);
    collector sink;
    result<std::uint64_t> count = co_await copy(source, sink);
    EXPECT_EQ(count.error(), std::errc::connection_reset);
    EXPECT_EQ(sink.text, "ab");
    scripted_reader more({"ab", "cd"});
    collector full;
    full.writes_left = 1;
    count = co_await copy(more, full);
    EXPECT_EQ(count.error(), std::errc::broken_pipe);
}

TEST(BufferedReaderTest, CopyReturnsTheErrorOfEitherSide) { test::run_test(copy_fails()); }

task<> copy_without_a_buffer() {
    scripted_reader source({"ab"});
    collector sink;
    static_cast<void>(co_await copy(source, sink, 0));
}

TEST(BufferedReaderTest, BuffersOfNoBytesAreRefused) {
    scripted_reader source({"ab"});
    EXPECT_THROW(reader(source, 0), std::invalid_argument);
    EXPECT_THROW(test::run_test(copy_without_a_buffer()), std::invalid_argument);
}

task<> no_delimiter() {
    scripted_reader source({"ab"});
    reader in(source, 8);
    static_cast<void>(co_await line(in, ""));
}

TEST(BufferedReaderDeathTest, ADelimiterHasAByte) {
    EXPECT_DEATH(test::run_test(no_delimiter()), "a delimiter has a byte or more");
}

}  // namespace
}  // namespace weir
