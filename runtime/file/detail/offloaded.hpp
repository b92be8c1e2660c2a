// System calls that io_uring lacks, run on the offload pool with I/O's manners: an error code where
// blocking() would throw.
#pragma once

#include <cerrno>
#include <system_error>
#include <type_traits>

#include "../../result.hpp"
#include "../../task.hpp"
#include "../../thread/blocking.hpp"

namespace weir::detail {

// Of the system call that has just failed on this thread.
[[nodiscard]] inline std::error_code last_error() noexcept {
    return {errno, std::system_category()};
}

// Runs `function`, which returns a result<T>, on a thread of the default pool. A call that has
// begun is waited for, so what its arguments point to lives until the await has ended.
template <class T, class... Parameters>
task<result<T>> offloaded(result<T> (*function)(Parameters...),
                          std::type_identity_t<Parameters>... arguments) {
    try {
        co_return co_await blocking(function, arguments...);
    } catch (const canceled&) {
        co_return std::unexpected(std::make_error_code(std::errc::operation_canceled));
    } catch (const std::system_error& error) {
        co_return std::unexpected(error.code());
    }
}

}  // namespace weir::detail
