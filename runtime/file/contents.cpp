#include "contents.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "errors.hpp"

namespace weir {
namespace {

constexpr std::size_t first_read = 4096;
constexpr std::size_t read_max = std::size_t{1} << 20;

// How many bytes to ask for when `held` are there: what the file says is left and one more, which
// shows the end; else twice as many as before. At most one beyond the limit, which shows that.
std::size_t next_read(std::size_t held, std::uint64_t size, std::size_t size_max) noexcept {
    const std::size_t allowed = size_max - held == SIZE_MAX ? SIZE_MAX : size_max - held + 1;
    const std::size_t wanted =
        size > held ? static_cast<std::size_t>(std::min<std::uint64_t>(size - held, read_max)) + 1
                    : std::clamp(held, first_read, read_max);
    return std::min(wanted, allowed);
}

}  // namespace

task<result<std::string>> read_all(std::string path, std::size_t size_max) {
    const result<file> opened = co_await file::open(std::move(path));
    if (!opened) {
        co_return std::unexpected(opened.error());
    }
    const result<file_status> found = co_await opened->status();
    if (!found) {
        co_return std::unexpected(found.error());
    }
    if (found->size > size_max) {
        co_return std::unexpected(make_error_code(file_errc::too_large));
    }
    std::string bytes;
    while (true) {
        const std::size_t held = bytes.size();
        bytes.resize(held + next_read(held, found->size, size_max));
        const std::span<std::byte> free = std::as_writable_bytes(std::span(bytes)).subspan(held);
        const result<std::size_t> count = co_await opened->read_at(free, held);
        if (!count && count.error() != std::errc::interrupted) {
            co_return std::unexpected(count.error());
        }
        bytes.resize(held + count.value_or(0));
        if (bytes.size() > size_max) {
            co_return std::unexpected(make_error_code(file_errc::too_large));
        }
        if (count && *count == 0) {
            co_return bytes;
        }
    }
}

task<result<void>> write_file(std::string path, std::string bytes, unsigned permissions) {
    const open_mode mode = open_mode::write | open_mode::create | open_mode::truncate;
    result<file> opened = co_await file::open(std::move(path), mode, permissions);
    if (!opened) {
        co_return std::unexpected(opened.error());
    }
    const result<void> written = co_await opened->write_at(std::as_bytes(std::span(bytes)), 0);
    const result<void> closed = co_await opened->close();
    co_return written ? closed : written;
}

}  // namespace weir
