// buffered_reader: reads whole messages and lines from a stream of bytes, by way of one buffer of
// fixed size. Beside it, what needs no buffer of its own: read_exactly and copy.
//
//     weir::buffered_reader in(peer);
//     const weir::result<std::string_view> greeting = co_await in.read_until("\r\n");
//     std::array<std::byte, 4> header{};
//     const weir::result<void> whole = co_await in.read_exactly(header);
//     const weir::result<std::uint64_t> echoed = co_await weir::copy(peer, peer);
//
// Bytes that were read ahead stand in the buffer until they are asked for, so nobody else reads the
// stream meanwhile. What a call cannot finish (an error, a stop, a limit) it leaves unconsumed, and
// a later call finds it again; read_exactly alone, for a span beyond capacity(), reads straight
// into the span, and what it had got by then is consumed. consumed() tells how far one came.
//
// The end of the stream is net_errc::end_of_stream where not a byte of what was asked for had come,
// and net_errc::unexpected_end inside of it. Other errors are the stream's.
// Memory: the buffer, allocated once by the constructor (std::bad_alloc).
// Lifetime: the stream, and spans and delimiters, outlive the awaits that use them; a view that is
// returned is valid until the next call. One call at a time. Thread: the stream's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>

#include "../assert.hpp"
#include "errors.hpp"
#include "stream.hpp"

namespace weir {

namespace detail {

// Bytes that were read and not yet consumed, in a block of fixed size.
class read_buffer {
  public:
    // Throws std::invalid_argument for a capacity of 0.
    explicit read_buffer(std::size_t capacity) : capacity_(capacity) {
        if (capacity == 0) {
            throw std::invalid_argument("buffered_reader: capacity is 0; allowed: 1 or more");
        }
        bytes_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }

    [[nodiscard]] std::span<const std::byte> contents() const noexcept {
        return {bytes_.get() + begin_, size()};
    }
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(bytes_.get()) + begin_, size()};
    }

    // Where the next bytes go: at least one, and half of what is free. Requires that it is
    // not full.
    [[nodiscard]] std::span<std::byte> room() noexcept {
        WEIR_ASSERT(size() < capacity_, "a full buffer is not filled further");
        if (begin_ == end_) {
            begin_ = 0;
            end_ = 0;
        } else if (begin_ > capacity_ - end_) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, size());
            end_ -= begin_;
            begin_ = 0;
        }
        return {bytes_.get() + end_, capacity_ - end_};
    }

    void filled(std::size_t count) noexcept {
        WEIR_ASSERT(count <= capacity_ - end_, "a stream fills no more than it was given");
        end_ += count;
    }

    void consume(std::size_t count) noexcept {
        WEIR_ASSERT(count <= size(), "no more is consumed than is buffered");
        begin_ += count;
        consumed_ += count;
    }

    // Moves what fits into `into`; returns the count.
    std::size_t take(std::span<std::byte> into) noexcept {
        const std::size_t count = std::min(into.size(), size());
        if (count != 0) {
            std::memcpy(into.data(), contents().data(), count);
            consume(count);
        }
        return count;
    }

    // Bytes that went past the buffer, to whoever reads.
    void passed(std::size_t count) noexcept { consumed_ += count; }

  private:
    std::size_t capacity_;
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t consumed_ = 0;
};

[[nodiscard]] inline std::error_code end_error(bool inside) noexcept {
    return make_error_code(inside ? net_errc::unexpected_end : net_errc::end_of_stream);
}

}  // namespace detail

// Fills all of `into`, 0 bytes or more. What had come before an error stands in `into`.
template <byte_reader S>
// ref: the stream and the span outlive the await
task<result<void>> read_exactly(S& from, std::span<std::byte> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        const result<std::size_t> count = co_await from.read_some(into.subspan(done));
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::unexpected(detail::end_error(done != 0));
        }
        done += *count;
    }
    co_return result<void>();
}

// Moves bytes until `from` ends; returns how many. `to` may then be written further. Throws
// std::invalid_argument for a buffer of 0 bytes, std::bad_alloc.
template <byte_reader From, byte_writer To>
// ref: the streams outlive the await
task<result<std::uint64_t>> copy(From& from, To& to, std::size_t buffer_size = 65'536) {
    if (buffer_size == 0) {
        throw std::invalid_argument("copy: buffer_size is 0; allowed: 1 or more");
    }
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    const std::span<std::byte> buffer(memory.get(), buffer_size);
    std::uint64_t total = 0;
    while (true) {
        const result<std::size_t> count = co_await from.read_some(buffer);
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return total;
        }
        const std::span<const std::byte> part = buffer.first(*count);
        const result<void> written = co_await to.write_all(part);
        if (!written) {
            co_return std::unexpected(written.error());
        }
        total += *count;
    }
}

template <byte_reader S>
class buffered_reader {
  public:
    static constexpr std::size_t capacity_default = 16'384;

    // `capacity`, in bytes, bounds what is read ahead and the longest line; 1 or more
    // (std::invalid_argument).
    explicit buffered_reader(S& stream, std::size_t capacity = capacity_default)
        : stream_(stream), buffer_(capacity) {}
    buffered_reader(const buffered_reader&) = delete;
    buffered_reader& operator=(const buffered_reader&) = delete;
    ~buffered_reader() = default;

    // At least one byte, or 0 at the end of the stream or for an empty span.
    // ref: the span outlives the await
    task<result<std::size_t>> read_some(std::span<std::byte> into) {
        if (into.empty()) {
            co_return std::size_t{0};
        }
        if (buffer_.size() == 0 && into.size() >= buffer_.capacity()) {
            const result<std::size_t> count = co_await stream_.read_some(into);
            buffer_.passed(count.value_or(0));
            co_return count;
        }
        if (buffer_.size() == 0) {
            const result<std::size_t> more = co_await stream_.read_some(buffer_.room());
            if (!more) {
                co_return more;
            }
            buffer_.filled(*more);
        }
        co_return buffer_.take(into);
    }

    // Fills all of `into`, 0 bytes or more.
    // ref: the span outlives the await
    task<result<void>> read_exactly(std::span<std::byte> into) {
        if (into.size() > buffer_.capacity()) {
            co_return co_await read_past_buffer(into);
        }
        while (buffer_.size() < into.size()) {
            const result<std::size_t> more = co_await stream_.read_some(buffer_.room());
            if (!more) {
                co_return std::unexpected(more.error());
            }
            if (*more == 0) {
                co_return std::unexpected(detail::end_error(buffer_.size() != 0));
            }
            buffer_.filled(*more);
        }
        buffer_.take(into);
        co_return result<void>();
    }

    // What stands before the next `delimiter` (1 byte or more, at most capacity()), which is
    // consumed with it; 0 to `limit` bytes. net_errc::line_too_long, and nothing consumed, where it
    // does not follow after that many; a limit beyond what the buffer holds counts as that.
    // ref: the delimiter outlives the await
    task<result<std::string_view>> read_until(std::string_view delimiter,
                                              std::size_t limit = SIZE_MAX) {
        WEIR_ASSERT(!delimiter.empty() && delimiter.size() <= buffer_.capacity(),
                    "a delimiter has a byte or more, and fits into the buffer");
        const std::size_t length_max = std::min(limit, buffer_.capacity() - delimiter.size());
        std::size_t searched = 0;  // no delimiter begins before
        while (true) {
            const std::string_view text =
                buffer_.text().substr(0, std::min(buffer_.size(), length_max + delimiter.size()));
            const std::size_t at = text.find(delimiter, searched);
            if (at != std::string_view::npos) {
                buffer_.consume(at + delimiter.size());
                co_return text.substr(0, at);
            }
            if (text.size() == length_max + delimiter.size()) {
                co_return std::unexpected(make_error_code(net_errc::line_too_long));
            }
            searched = text.size() - std::min(text.size(), delimiter.size() - 1);
            const result<std::size_t> more = co_await stream_.read_some(buffer_.room());
            if (!more) {
                co_return std::unexpected(more.error());
            }
            if (*more == 0) {
                co_return std::unexpected(detail::end_error(buffer_.size() != 0));
            }
            buffer_.filled(*more);
        }
    }

    // All that is buffered, once that is at least `count` bytes (more than capacity() counts as
    // that); fewer where the stream ends first. Consumes nothing.
    task<result<std::span<const std::byte>>> peek(std::size_t count) {
        const std::size_t wanted = std::min(count, buffer_.capacity());
        while (buffer_.size() < wanted) {
            const result<std::size_t> more = co_await stream_.read_some(buffer_.room());
            if (!more) {
                co_return std::unexpected(more.error());
            }
            if (*more == 0) {
                break;
            }
            buffer_.filled(*more);
        }
        co_return buffer_.contents();
    }

    // The first `count` bytes of buffered() are done with; 0 to all of them.
    void consume(std::size_t count) noexcept { buffer_.consume(count); }

    // What was read ahead; valid until the next call.
    [[nodiscard]] std::span<const std::byte> buffered() const noexcept {
        return buffer_.contents();
    }

    // Bytes handed out so far.
    [[nodiscard]] std::uint64_t consumed() const noexcept { return buffer_.consumed(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return buffer_.capacity(); }
    [[nodiscard]] S& stream() const noexcept { return stream_; }

  private:
    // ref: the span outlives the await
    task<result<void>> read_past_buffer(std::span<std::byte> into) {
        std::size_t done = buffer_.take(into);
        while (done < into.size()) {
            const result<std::size_t> count = co_await stream_.read_some(into.subspan(done));
            if (!count) {
                co_return std::unexpected(count.error());
            }
            if (*count == 0) {
                co_return std::unexpected(detail::end_error(done != 0));
            }
            buffer_.passed(*count);
            done += *count;
        }
        co_return result<void>();
    }

    S& stream_;
    detail::read_buffer buffer_;
};

}  // namespace weir
