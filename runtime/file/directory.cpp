#include "directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "detail/io_call.hpp"
#include "detail/offloaded.hpp"

namespace weir {
namespace {

result<std::size_t> read_entries(int fd, void* into, std::size_t size) {
    const ssize_t count = ::getdents64(fd, into, size);
    if (count < 0) {
        return std::unexpected(detail::last_error());
    }
    return static_cast<std::size_t>(count);
}

}  // namespace

directory::directory(file_descriptor fd)
    : fd_(std::move(fd)), buffer_(std::make_unique<buffer>()) {}

task<result<directory>> directory::open(std::string path) {
    if (detail::has_nul(path)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    io_request request = detail::path_request(io_opcode::open, path.c_str());
    request.operation_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    detail::number_awaiter call(request);
    const result<int> fd = co_await call;
    if (!fd) {
        co_return std::unexpected(fd.error());
    }
    file_descriptor owned(*fd);
    co_return directory(std::move(owned));
}

task<result<std::span<const directory_entry>>> directory::next_batch() {
    do {
        const result<std::size_t> count = co_await detail::offloaded(
            &read_entries, fd_.get(), static_cast<void*>(buffer_->data()), buffer_->size());
        if (!count) {
            co_return std::unexpected(count.error());
        }
        if (*count == 0) {
            co_return std::span<const directory_entry>();
        }
        parse(*count);
    } while (entries_.empty());  // it held nothing but "." and ".."
    co_return std::span<const directory_entry>(entries_);
}

void directory::parse(std::size_t bytes) {
    entries_.clear();
    for (std::size_t at = 0; at < bytes;) {
        // The kernel aligns its records in the buffer, which is aligned for every type.
        const auto* const record = reinterpret_cast<const dirent64*>(buffer_->data() + at);
        at += record->d_reclen;
        const std::string_view name(record->d_name);
        if (name != "." && name != "..") {
            entries_.push_back(directory_entry{
                .name = name,
                .kind = detail::kind_from_mode(static_cast<unsigned>(DTTOIF(record->d_type)))});
        }
    }
}

}  // namespace weir
