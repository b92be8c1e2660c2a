// file: an open file that is read and written at offsets.
//
//     const weir::open_mode mode = weir::open_mode::write | weir::open_mode::create;
//     weir::result<weir::file> log = co_await weir::file::open("log", mode);
//     if (!log) { report("log: " + log.error().message()); }
//
// Offsets are the caller's, at most 2^63 - 1, so any number of reads and writes may be under way at
// once; file_cursor (cursor.hpp) keeps a position. Every loop over a short write is in here.
//
// Errors: those of the system call, with their errno; std::errc::operation_canceled when the task
// was stopped. How much of a write that failed has reached the file is unknown. A pipe that is
// opened by its name is better wrapped in a pipe_reader or pipe_writer (pipe.hpp), which know of
// SIGPIPE; its open may end before the other end is there (as with O_NONBLOCK in fifo(7)).
// Lifetime: the file, and the memory that a call names, outlive the await. Paths are copied.
// Thread: the loop's. Source: openat(2), pread(2), pwritev2(2), fsync(2), fallocate(2), statx(2),
// close(2) by io_uring, Linux 5.6; truncate() is a call on the offload pool.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "../result.hpp"
#include "../task.hpp"
#include "descriptor.hpp"
#include "detail/io_call.hpp"
#include "status.hpp"

namespace weir {

// How a file is opened; combined by |. Without read and write, open fails with invalid_argument.
enum class open_mode : unsigned {
    read = 1U << 0,
    write = 1U << 1,
    create = 1U << 2,     // where it is not there yet (O_CREAT)
    exclusive = 1U << 3,  // with create: fails with file_exists where it is there (O_EXCL)
    truncate = 1U << 4,   // to no bytes (O_TRUNC)
    append = 1U << 5,     // every write goes to the end, whatever its offset (O_APPEND)
    direct = 1U << 6,     // past the page cache; memory and offsets are aligned (O_DIRECT)
    no_follow = 1U << 7   // fails with too_many_symbolic_link_levels for a link (O_NOFOLLOW)
};

[[nodiscard]] constexpr open_mode operator|(open_mode a, open_mode b) noexcept {
    return static_cast<open_mode>(std::to_underlying(a) | std::to_underlying(b));
}
[[nodiscard]] constexpr bool includes(open_mode set, open_mode one) noexcept {
    return (std::to_underlying(set) & std::to_underlying(one)) != 0;
}

class file {
  public:
    // `permissions` of a file that is created, less the process's umask. The descriptor is not
    // inherited by programs that are executed (O_CLOEXEC).
    [[nodiscard]] static task<result<file>> open(std::string path, open_mode mode = open_mode::read,
                                                 unsigned permissions = 0666);

    // Takes an open descriptor over.
    explicit file(file_descriptor owned) noexcept : fd_(std::move(owned)) {}

    // Reads at most into.size() bytes; fewer at the end of the file, or when a signal or the
    // memory's pressure says so; 0 at the end.
    [[nodiscard]] detail::count_awaiter read_at(std::span<std::byte> into,
                                                std::uint64_t offset) const noexcept {
        return detail::count_awaiter(
            detail::read_request(fd_.get(), into, detail::checked_offset(offset)));
    }

    // Fills `into`; file_errc::end_of_file where the file ends before that. ref: see Lifetime.
    [[nodiscard]] task<result<void>> read_exactly_at(std::span<std::byte> into,
                                                     std::uint64_t offset) const;

    // Fills the pieces in turn, as far as one system call does; at most 1,024 of them.
    [[nodiscard]] detail::count_awaiter read_vectored_at(std::span<const iovec> pieces,
                                                         std::uint64_t offset) const noexcept {
        return detail::count_awaiter(detail::vectored_request(
            io_opcode::read_vectored, fd_.get(), pieces, detail::checked_offset(offset)));
    }

    // Writes all bytes. ref: see Lifetime.
    [[nodiscard]] task<result<void>> write_at(std::span<const std::byte> bytes,
                                              std::uint64_t offset) const;

    // Writes all pieces, of any number, one behind the other. ref: see Lifetime.
    [[nodiscard]] task<result<void>> write_vectored_at(std::span<const iovec> pieces,
                                                       std::uint64_t offset) const;

    // Writes all bytes to the end of the file (RWF_APPEND), in one piece where nothing goes wrong.
    // ref: see Lifetime.
    [[nodiscard]] task<result<void>> append(std::span<const std::byte> bytes) const;

    // Ends when what was written stands on the disk: with the file's status, or only as much of it
    // as a reader needs.
    [[nodiscard]] detail::done_awaiter sync() const noexcept { return make_sync(0); }
    [[nodiscard]] detail::done_awaiter sync_data() const noexcept { return make_sync(1); }

    // Reserves the disk space of [offset, offset + length); the file grows to hold it. `length` is
    // 1 or more.
    [[nodiscard]] detail::done_awaiter allocate(std::uint64_t offset,
                                                std::uint64_t length) const noexcept;

    // Cuts the file off at `size` bytes, or grows it by a hole. Runs on the offload pool.
    [[nodiscard]] task<result<void>> truncate(std::uint64_t size) const;

    [[nodiscard]] task<result<file_status>> status() const;

    // Closes the file in any case, also when the task is stopped, and says what close(2) says.
    // Requires that nothing else is under way. Idempotent.
    [[nodiscard]] task<result<void>> close();

    // -1 once it is closed.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  private:
    [[nodiscard]] detail::done_awaiter make_sync(std::uint32_t flags) const noexcept;

    file_descriptor fd_;
};

}  // namespace weir
