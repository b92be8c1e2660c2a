// What is done to files and directories by their names.
//
//     weir::result<void> made = co_await weir::make_directory("spool");
//     weir::result<void> moved = co_await weir::rename_path("spool", "queue");
//     weir::result<void> gone = co_await weir::remove_path("queue");
//
// Paths are copied; relative ones start at the process's working directory. One that holds a NUL
// byte is std::errc::invalid_argument, like every path that the system does not take.
//
// Errors: those of the system call, with their errno; std::errc::operation_canceled when the task
// was stopped before the call was made. Thread: the loop's.
// Source: renameat2(2), unlinkat(2), mkdirat(2), statx(2) by io_uring, Linux 5.15.
#pragma once

#include <string>

#include "../result.hpp"
#include "../task.hpp"
#include "status.hpp"

namespace weir {

// Takes the place of what stands at `to`, atomically: a file of a file, a directory of an empty
// directory. Not from one file system to another (cross_device_link).
[[nodiscard]] task<result<void>> rename_path(std::string from, std::string to);

// Removes a file, a link (not what it points to) or an empty directory.
[[nodiscard]] task<result<void>> remove_path(std::string path);

// `permissions` less the process's umask. file_exists where something is there.
[[nodiscard]] task<result<void>> make_directory(std::string path, unsigned permissions = 0777);

// Of what a link points to.
[[nodiscard]] task<result<file_status>> path_status(std::string path);

// Of the link itself, where `path` is one.
[[nodiscard]] task<result<file_status>> link_status(std::string path);

}  // namespace weir
