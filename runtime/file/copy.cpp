#include "copy.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "detail/offloaded.hpp"

namespace weir {
namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10;

// What is left to do, and where.
struct range {
    int from;
    int to;
    std::int64_t from_offset;
    std::int64_t to_offset;
    std::uint64_t length;

    void advance(std::uint64_t count) noexcept {
        from_offset += static_cast<std::int64_t>(count);
        to_offset += static_cast<std::int64_t>(count);
        length -= count;
    }
};

result<std::size_t> copy_within_kernel(range part) {
    while (true) {
        const ssize_t count = ::copy_file_range(part.from, &part.from_offset, part.to,
                                                &part.to_offset, part.length, 0);
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR) {
            return std::unexpected(detail::last_error());
        }
    }
}

// Whether copy_file_range(2) cannot do here what a read and a write can.
bool is_refusal(const std::error_code& error) noexcept {
    return error == std::errc::cross_device_link || error == std::errc::invalid_argument ||
           error == std::errc::operation_not_supported ||
           error == std::errc::function_not_supported || error == std::errc::bad_file_descriptor ||
           error == std::errc::text_file_busy || error == std::errc::is_a_directory;
}

// ref: the files outlive the await, as `copy_range` asks.
task<result<std::uint64_t>> copy_by_hand(const file& from, const file& to, range left) {
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    std::uint64_t copied = 0;
    while (left.length != 0) {
        const std::span<std::byte> into(
            memory.get(),
            static_cast<std::size_t>(std::min<std::uint64_t>(left.length, buffer_size)));
        const result<std::size_t> count =
            co_await from.read_at(into, static_cast<std::uint64_t>(left.from_offset));
        if (!count && count.error() == std::errc::interrupted) {
            continue;
        }
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            break;
        }
        const std::span<const std::byte> bytes = into.first(*count);
        const result<void> written =
            co_await to.write_at(bytes, static_cast<std::uint64_t>(left.to_offset));
        if (!written) {
            co_return std::unexpected(written.error());
        }
        left.advance(*count);
        copied += *count;
    }
    co_return copied;
}

}  // namespace

// ref: as the declaration says.
task<result<std::uint64_t>> copy_range(const file& from, std::uint64_t from_offset, const file& to,
                                       std::uint64_t to_offset, std::uint64_t length) {
    range left = {.from = from.fd(),
                  .to = to.fd(),
                  .from_offset = static_cast<std::int64_t>(detail::checked_offset(from_offset)),
                  .to_offset = static_cast<std::int64_t>(detail::checked_offset(to_offset)),
                  .length = length};
    std::uint64_t copied = 0;
    while (left.length != 0) {
        range part = left;
        part.length = std::min<std::uint64_t>(left.length, copy_step);
        const result<std::size_t> count = co_await detail::offloaded(&copy_within_kernel, part);
        if (!count && !is_refusal(count.error())) {
            co_return std::unexpected(count.error());
        }
        if (!count || (*count == 0 && copied == 0)) {
            // Refused, or a file that does not know its size, which it takes for empty.
            const result<std::uint64_t> rest = co_await copy_by_hand(from, to, left);
            if (!rest) {
                co_return rest;
            }
            co_return copied + *rest;
        }
        if (*count == 0) {
            break;
        }
        left.advance(*count);
        copied += *count;
    }
    co_return copied;
}

}  // namespace weir
