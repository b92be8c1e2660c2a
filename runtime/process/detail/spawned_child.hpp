// Starting a program: the part of child_process that blocks.
//
// Thread: any.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>

#include "../../file/descriptor.hpp"
#include "../command.hpp"
#include "child_watch.hpp"

namespace weir::detail {

struct spawned_child {
    std::unique_ptr<child_watch, child_watch_deleter> watch;
    std::array<file_descriptor, 3> streams;  // our ends of its pipes, nonblocking
};

// Starts the program; blocks until it is loaded. Throws std::system_error.
[[nodiscard]] spawned_child spawn_now(const command& what);

}  // namespace weir::detail
