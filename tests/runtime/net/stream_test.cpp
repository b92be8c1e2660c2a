#include <gtest/gtest.h>

#include <cstddef>
#include <span>

#include <weir/runtime/net/stream.hpp>
#include <weir/runtime/net/tcp.hpp>
#include <weir/runtime/net/unix_socket.hpp>

namespace weir {
namespace {

struct only_reads {
    task<result<std::size_t>> read_some(std::span<std::byte> into);  // ref: never called
};

struct reads_without_a_result {
    task<std::size_t> read_some(std::span<std::byte> into);  // ref: never called
};

TEST(StreamTest, TheSocketsAreStreams) {
    static_assert(byte_stream<socket_stream>);
    static_assert(byte_stream<tcp_stream>);
    static_assert(byte_stream<unix_stream>);
    static_assert(!byte_stream<unix_packets>, "messages are no stream");
}

TEST(StreamTest, AReaderIsNoStreamAndNeedsAResult) {
    static_assert(byte_reader<only_reads>);
    static_assert(!byte_writer<only_reads> && !byte_stream<only_reads>);
    static_assert(!byte_reader<reads_without_a_result>);
}

TEST(StreamTest, AnAwaitablesResultIsWhatItsAwaitGives) {
    static_assert(awaitable_of<task<int>, int>);
    static_assert(!awaitable_of<task<int>, long>);
    static_assert(awaitable_of<socket_stream::read_awaiter, result<std::size_t>>);
}

}  // namespace
}  // namespace weir
