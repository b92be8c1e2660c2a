// Streams for tests: pairs, texts, and a fixture that runs each test on both kinds of ring.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/net/unix_socket.hpp>

namespace weir::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::pair<unix_stream, unix_stream> stream_pair() { return unix_stream::pair().value(); }

// What arrives until the end of the stream, by read_some.
inline task<std::string> read_all(unix_stream& from) {
    std::string all;
    std::array<std::byte, 1000> part;
    while (true) {
        const result<std::size_t> count = co_await from.read_some(part);
        if (!count || *count == 0) {
            EXPECT_TRUE(count) << count.error().message();
            co_return all;
        }
        all += text_of(std::span(part).first(*count));
    }
}

// The same by receive().
inline task<std::string> receive_all(unix_stream& from) {
    std::string all;
    while (true) {
        result<received_buffer> part = co_await from.receive();
        if (!part || !*part) {
            EXPECT_TRUE(part) << part.error().message();
            co_return all;
        }
        all += text_of(part->bytes());
    }
}

inline task<> write_and_close(unix_stream& to, std::string text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto written =
            co_await to.write_all(bytes_of(text).subspan(at, std::min(piece, text.size() - at)));
        EXPECT_TRUE(written) << written.error().message();
    }
    EXPECT_TRUE(co_await to.close());
}

inline std::string pattern(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>('a' + at % 23);
    }
    return text;
}

// Each kind of ring: with everything, and with nothing beyond single operations.
class stream_test : public testing::TestWithParam<bool> {
  protected:
    void run(task<> body) {
        event_loop_options options;
        if (!GetParam()) {
            options.features = io_features();
        }
        event_loop loop(options);
        loop.run(std::move(body));
        EXPECT_EQ(loop.io().in_flight(), 0U);
    }
};

}  // namespace weir::test
