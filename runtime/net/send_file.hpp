// send_file: sends a part of a file over a stream without copying it into the process.
//
//     const weir::result<std::uint64_t> sent = co_await weir::send_file(peer, page);
//     report(sent ? std::to_string(*sent) + " bytes" : sent.error().message());
//
// What was written to the stream before goes first, what is written meanwhile comes behind. The
// bytes go from the page cache through a pipe to the socket (splice(2)); a file or a socket that
// cannot be spliced, or a process without descriptors for a pipe, is served by reads and writes. It
// waits while the peer does not read: at most what fits a pipe (64 KiB) has left the file by then.
//
// Ends at the end of the file, or after `count` bytes; returns how many were sent. A file that is
// written meanwhile sends what it holds when its turn comes.
// Errors: those of splice(2), read(2) and send(2); operation_canceled when the task was stopped.
// After an error behind the first byte the stream is broken, as by write_all: the peer has a part.
//
// Lifetime: stream and file outlive the await. Thread: the loop's. Minimum kernel 5.7.
#pragma once

#include <cstdint>

#include "../file/file.hpp"
#include "../result.hpp"
#include "../task.hpp"
#include "socket_stream.hpp"

namespace weir {

// `from` is a descriptor that can be read at offsets; `count` may exceed what the file holds.
// ref: see Lifetime.
[[nodiscard]] task<result<std::uint64_t>> send_file(socket_stream& to, int from,
                                                    std::uint64_t offset = 0,
                                                    std::uint64_t count = UINT64_MAX);

[[nodiscard]] inline task<result<std::uint64_t>> send_file(socket_stream& to, const file& from,
                                                           std::uint64_t offset = 0,
                                                           std::uint64_t count = UINT64_MAX) {
    return send_file(to, from.fd(), offset, count);
}

}  // namespace weir
