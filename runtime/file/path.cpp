#include "path.hpp"

#include <fcntl.h>

#include <cstdint>
#include <utility>

#include "detail/io_call.hpp"

namespace weir {

task<result<void>> rename_path(std::string from, std::string to) {
    if (detail::has_nul(from) || detail::has_nul(to)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    io_request request = detail::path_request(io_opcode::rename, from.c_str());
    request.length = static_cast<std::uint32_t>(AT_FDCWD);
    request.offset = reinterpret_cast<std::uintptr_t>(to.c_str());
    detail::done_awaiter call(request);
    co_return co_await call;
}

task<result<void>> remove_path(std::string path) {
    if (detail::has_nul(path)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    io_request request = detail::path_request(io_opcode::unlink, path.c_str());
    detail::done_awaiter call(request);
    const result<void> done = co_await call;
    if (done || done.error() != std::errc::is_a_directory) {
        co_return done;
    }
    request.operation_flags = AT_REMOVEDIR;
    detail::done_awaiter of_directory(request);
    co_return co_await of_directory;
}

task<result<void>> make_directory(std::string path, unsigned permissions) {
    if (detail::has_nul(path)) {
        co_return std::unexpected(std::make_error_code(std::errc::invalid_argument));
    }
    io_request request = detail::path_request(io_opcode::make_directory, path.c_str());
    request.length = permissions;
    detail::done_awaiter call(request);
    co_return co_await call;
}

task<result<file_status>> path_status(std::string path) {
    return detail::read_status(AT_FDCWD, std::move(path), 0);
}

task<result<file_status>> link_status(std::string path) {
    return detail::read_status(AT_FDCWD, std::move(path), AT_SYMLINK_NOFOLLOW);
}

}  // namespace weir
