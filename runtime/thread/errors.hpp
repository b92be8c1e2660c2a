// Errors of threads, and of what hands work to them.
//
//     try {
//         later = background.submit(handle, 2);
//     } catch (const std::system_error& error) {
//         closed = error.code() == weir::thread_errc::closed;
//     }
//
// What waits throws std::system_error with one of these codes; what does not wait returns the code.
// would_deadlock is also equal to std::errc::resource_deadlock_would_occur, and full to
// std::errc::resource_unavailable_try_again.
//
// Thread: any; all types are values.
#pragma once

#include <string>
#include <system_error>

namespace weir {

enum class thread_errc {
    full = 1,        // all threads are busy and the queue is full, or max_in_flight calls run
    closed,          // close(), join() or stop() came first
    would_deadlock,  // a loop's own thread would wait for that loop
    forked           // made before a fork(): its threads are in the parent process
};

// The category of thread_errc; its name is "weir.thread".
const std::error_category& thread_category() noexcept;

std::error_code make_error_code(thread_errc code) noexcept;

namespace detail {

// Throws std::system_error; `who` names the object and the call.
[[noreturn]] void throw_thread_error(thread_errc code, const std::string& who);

}  // namespace detail
}  // namespace weir

template <>
struct std::is_error_code_enum<weir::thread_errc> : std::true_type {};
