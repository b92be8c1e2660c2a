// Pipes, and the standard streams of the process.
//
//     weir::result<weir::pipe_ends> ends = weir::make_pipe();
//     const std::string text = "through a pipe";
//     co_await ends->writer.write_all(std::as_bytes(std::span(text)));
//     const weir::result<std::size_t> count = co_await ends->reader.read_some(memory);
//
// Both classes also take what else stands behind a descriptor: terminals, files (at their own
// position), sockets, devices.
//
// A write that nobody will read fails with std::errc::broken_pipe and nothing else: the SIGPIPE
// that goes with it in the kernel never reaches the process, whatever it does with that signal
// (detail/broken_pipe.hpp says how).
//
// Errors: those of read(2) and write(2), with their errno; std::errc::operation_canceled when the
// task was stopped: how much a write has written is then unknown. A stop ends a wait for bytes or
// for room at once.
// Lifetime: the end, and the memory that a call names, outlive the await. Closing an end is its
// destruction or close(), when nothing is under way.
// Thread: the loop's; one read and one write at a time per end.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "../result.hpp"
#include "../task.hpp"
#include "descriptor.hpp"

namespace weir {

class pipe_reader {
  public:
    pipe_reader() noexcept = default;
    explicit pipe_reader(file_descriptor owned) noexcept : fd_(std::move(owned)) {}

    // Waits for bytes and reads at most into.size() of them; 0 when all writers are closed and
    // everything was read, or when `into` is empty. ref: see Lifetime.
    [[nodiscard]] task<result<std::size_t>> read_some(std::span<std::byte> into);

    void close() noexcept { fd_.reset(); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  private:
    friend result<pipe_reader> standard_input() noexcept;

    file_descriptor fd_;
    bool poll_first_ = false;  // a read would keep a worker of the kernel waiting
};

class pipe_writer {
  public:
    pipe_writer() noexcept = default;
    explicit pipe_writer(file_descriptor owned) noexcept : fd_(std::move(owned)) {}

    // Writes one byte or more, as many as there is room for. ref: see Lifetime.
    [[nodiscard]] task<result<std::size_t>> write_some(std::span<const std::byte> bytes);

    // Writes all bytes. ref: see Lifetime.
    [[nodiscard]] task<result<void>> write_all(std::span<const std::byte> bytes);

    void close() noexcept { fd_.reset(); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  private:
    file_descriptor fd_;
};

struct pipe_ends {
    pipe_reader reader;
    pipe_writer writer;
};

// A new pipe (pipe2(2)): what is written to `writer` is read from `reader`. Both are nonblocking
// for other code, and not inherited by programs that are executed. too_many_files_open where no
// descriptor is left.
[[nodiscard]] result<pipe_ends> make_pipe() noexcept;

// The process's standard input and output, as descriptors of their own: closing one leaves the
// original open. Their flags, which they share with the process that started this one, stay as they
// are. bad_file_descriptor where the process was started without.
//
// Bytes in a buffer of <cstdio> or <iostream> are not seen here: use one of the two. A process in
// the background that reads from its terminal gets io_error instead of being suspended.
[[nodiscard]] result<pipe_reader> standard_input() noexcept;
[[nodiscard]] result<pipe_writer> standard_output() noexcept;
[[nodiscard]] result<pipe_writer> standard_error() noexcept;

}  // namespace weir
