// Two streams in memory, each the other's peer: a byte_stream that needs no kernel.
//
//     auto [near, far] = test::make_memory_streams();
//
// Thread: one loop's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/net/stream.hpp>

namespace weir::test {

// One direction. Whoever waits looks again at each change.
struct memory_pipe {
    memory_pipe(std::size_t most, std::size_t piece) : capacity(most), fragment(piece) {}

    // Waits for the next change; false when the task is stopped.
    // ref: the pipe lives in streams that outlive the await.
    static task<bool> wait(event& changed) {
        changed.reset();
        try {
            co_await changed.wait();
            co_return true;
        } catch (const canceled&) {
            co_return false;
        }
    }

    std::size_t capacity;
    std::size_t fragment;  // the most that one read gives
    std::vector<std::byte> bytes;
    std::size_t total = 0;  // ever written
    bool ended = false;     // by the writer
    bool deaf = false;      // by the reader
    event readable;
    event writable;
};

class memory_stream {
  public:
    memory_stream(std::shared_ptr<memory_pipe> reading, std::shared_ptr<memory_pipe> writing)
        : in_(std::move(reading)), out_(std::move(writing)) {}
    memory_stream(memory_stream&&) noexcept = default;
    memory_stream& operator=(memory_stream&&) = delete;
    ~memory_stream() { shut(); }

    // ref: the caller awaits at once.
    task<result<std::size_t>> read_some(std::span<std::byte> into) {
        memory_pipe& pipe = *in_;
        while (pipe.bytes.empty() && !pipe.ended && !into.empty()) {
            if (const bool go_on = co_await memory_pipe::wait(pipe.readable); !go_on) {
                co_return stopped();
            }
        }
        const std::size_t size = std::min({pipe.bytes.size(), into.size(), pipe.fragment});
        const auto end = pipe.bytes.begin() + static_cast<std::ptrdiff_t>(size);
        std::copy(pipe.bytes.begin(), end, into.begin());
        pipe.bytes.erase(pipe.bytes.begin(), end);
        pipe.writable.set();
        co_return size;
    }

    // ref: the caller awaits at once.
    task<result<void>> write_all(std::span<const std::byte> from) {
        memory_pipe& pipe = *out_;
        while (!from.empty()) {
            if (pipe.deaf || pipe.ended) {
                co_return std::unexpected(std::make_error_code(std::errc::broken_pipe));
            }
            const std::size_t size = std::min(from.size(), pipe.capacity - pipe.bytes.size());
            if (size == 0) {
                if (const bool go_on = co_await memory_pipe::wait(pipe.writable); !go_on) {
                    co_return stopped();
                }
                continue;
            }
            const auto piece = from.first(size);
            pipe.bytes.insert(pipe.bytes.end(), piece.begin(), piece.end());
            pipe.total += size;
            from = from.subspan(size);
            pipe.readable.set();
        }
        co_return result<void>();
    }

    task<result<void>> finish_writing() {
        out_->ended = true;
        out_->readable.set();
        co_return result<void>();
    }

    task<result<void>> close() {
        shut();
        co_return result<void>();
    }

    // What this end writes into.
    [[nodiscard]] memory_pipe& out() const noexcept { return *out_; }
    [[nodiscard]] std::shared_ptr<memory_pipe> share_out() const noexcept { return out_; }

  private:
    static std::unexpected<std::error_code> stopped() {
        return std::unexpected(std::make_error_code(std::errc::operation_canceled));
    }

    void shut() noexcept {
        if (out_ != nullptr) {
            out_->ended = true;
            out_->readable.set();
            in_->deaf = true;
            in_->writable.set();
        }
    }

    std::shared_ptr<memory_pipe> in_;
    std::shared_ptr<memory_pipe> out_;
};

static_assert(byte_stream<memory_stream>);

// Each direction holds up to `capacity` bytes, and gives up to `fragment` a read.
inline std::pair<memory_stream, memory_stream> make_memory_streams(
    std::size_t capacity = 65'536, std::size_t fragment = std::numeric_limits<std::size_t>::max()) {
    auto there = std::make_shared<memory_pipe>(capacity, fragment);
    auto back = std::make_shared<memory_pipe>(capacity, fragment);
    return {memory_stream(back, there), memory_stream(there, back)};
}

}  // namespace weir::test
