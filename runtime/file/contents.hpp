// Whole files that fit into memory: read_all and write_file.
//
//     weir::result<std::string> text = co_await weir::read_all("/etc/hosts", 1 << 20);
//     weir::result<void> kept = co_await weir::write_file("copy-of-hosts", text.value_or(""));
//
// Errors: those of file.hpp; file_errc::too_large. Thread: the loop's.
#pragma once

#include <cstddef>
#include <string>

#include "../result.hpp"
#include "../task.hpp"
#include "file.hpp"

namespace weir {

// The bytes of the file at `path`, at most `size_max`; file_errc::too_large where it holds more,
// before or while it is read. Memory follows the bytes that were read, so files that do not know
// their size (/proc) and files that grow are bounded as well.
[[nodiscard]] task<result<std::string>> read_all(std::string path, std::size_t size_max);

// Makes the file at `path` hold `bytes` and nothing else; creates it with `permissions` less the
// umask. Not atomic: a reader may see a part of it, and after an error it may hold one. For all or
// nothing, write another file, sync() it and rename_path() it over this one.
[[nodiscard]] task<result<void>> write_file(std::string path, std::string bytes,
                                            unsigned permissions = 0666);

}  // namespace weir
