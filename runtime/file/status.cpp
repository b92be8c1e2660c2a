#include "status.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "detail/io_call.hpp"

namespace weir::detail {
namespace {

file_time time_of(const statx_timestamp& stamp) noexcept {
    return file_time(std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec));
}

}  // namespace

file_kind kind_from_mode(unsigned mode) noexcept {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return file_kind::regular;
        case S_IFDIR:
            return file_kind::directory;
        case S_IFLNK:
            return file_kind::symbolic_link;
        case S_IFIFO:
            return file_kind::pipe;
        case S_IFSOCK:
            return file_kind::socket;
        case S_IFBLK:
            return file_kind::block_device;
        case S_IFCHR:
            return file_kind::character_device;
        default:
            return file_kind::unknown;
    }
}

file_status status_from_kernel(const struct statx& found) noexcept {
    constexpr std::uint64_t block = 512;  // the unit of stx_blocks, whatever the file system's
    constexpr unsigned permission_bits = 07777;
    file_status status;
    status.size = found.stx_size;
    status.allocated = found.stx_blocks * block;
    status.device = gnu_dev_makedev(found.stx_dev_major, found.stx_dev_minor);
    status.inode = found.stx_ino;
    status.links = found.stx_nlink;
    status.owner = found.stx_uid;
    status.group = found.stx_gid;
    status.permissions = static_cast<std::uint16_t>(found.stx_mode & permission_bits);
    status.kind = kind_from_mode(found.stx_mode);
    status.accessed = time_of(found.stx_atime);
    status.modified = time_of(found.stx_mtime);
    status.changed = time_of(found.stx_ctime);
    return status;
}

task<result<file_status>> read_status(int fd, std::string path, unsigned flags) {
    if (has_nul(path)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    struct statx found = {};
    io_request request = path_request(io_opcode::status, path.c_str());
    request.fd = fd;
    request.length = STATX_BASIC_STATS;
    request.operation_flags = flags;
    request.offset = reinterpret_cast<std::uintptr_t>(&found);
    done_awaiter call(request);
    const result<void> done = co_await call;
    if (!done) {
        co_return std::unexpected(done.error());
    }
    co_return status_from_kernel(found);
}

}  // namespace weir::detail
