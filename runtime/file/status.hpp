// file_status: what statx(2) tells about a file.
//
//     const weir::result<weir::file_status> found = co_await weir::path_status("/etc/hosts");
//     if (found && found->kind == weir::file_kind::regular) { use(found->size); }
//
// file::status() and path_status() yield it. Thread: any; a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "../result.hpp"
#include "../task.hpp"

struct statx;

namespace weir {

enum class file_kind : std::uint8_t {
    unknown,  // the file system does not say
    regular,
    directory,
    symbolic_link,
    pipe,
    socket,
    block_device,
    character_device
};

// Wall-clock time, as the file system keeps it.
using file_time = std::chrono::sys_time<std::chrono::nanoseconds>;

struct file_status {
    std::uint64_t size = 0;       // bytes; 0 for what has no length
    std::uint64_t allocated = 0;  // bytes on the disk: less than size in a file with holes
    std::uint64_t device = 0;     // together with inode: which file it is
    std::uint64_t inode = 0;
    std::uint32_t links = 0;
    std::uint32_t owner = 0;  // user
    std::uint32_t group = 0;
    std::uint16_t permissions = 0;  // 0 to 07777
    file_kind kind = file_kind::unknown;
    file_time accessed;
    file_time modified;
    file_time changed;  // content or status
};

namespace detail {

// `mode` as in st_mode (inode(7)).
[[nodiscard]] file_kind kind_from_mode(unsigned mode) noexcept;
[[nodiscard]] file_status status_from_kernel(const struct statx& found) noexcept;

// statx(2) of `path` relative to `fd`. `flags`: AT_*.
[[nodiscard]] task<result<file_status>> read_status(int fd, std::string path, unsigned flags);

}  // namespace detail
}  // namespace weir
