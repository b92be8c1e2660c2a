// Errors of files and pipes that the kernel has no number for.
//
//     weir::result<void> got = co_await log.read_exactly_at(header, 0);
//     if (!got && got.error() == weir::file_errc::end_of_file) { report("the log is empty"); }
//
// Everything else keeps its errno and the system category: compare it with `std::errc`.
//
// Thread: any; all types are values.
#pragma once

#include <system_error>

namespace weir {

enum class file_errc {
    end_of_file = 1,  // the file or stream ended before all the bytes that were asked for
    too_large,        // a file holds more bytes than the caller's limit
    line_too_long     // a line holds more bytes than the reader's limit
};

// The category of file_errc; its name is "weir.file".
const std::error_category& file_category() noexcept;

std::error_code make_error_code(file_errc code) noexcept;

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::file_errc> : std::true_type {};
