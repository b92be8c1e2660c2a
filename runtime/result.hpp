// Results and errors of the runtime.
//
// Byte I/O and calls into the kernel return `result<T>`. What waits without doing byte I/O (sleep,
// lock, channel, join, submit) throws: `canceled` when its surroundings were stopped, so that a
// loop around it ends.
//
//     weir::result<void> done = co_await weir::nop();
//     if (!done) { report(done.error().message()); }
//
// Thread: any; all types are values.
#pragma once

#include <exception>
#include <expected>
#include <system_error>

namespace weir {

// A value or the error that stood in its way.
template <class T>
using result = std::expected<T, std::error_code>;

// Errors that are the runtime's own. Errors of the kernel keep their errno and the system
// category: compare them with `std::errc`.
enum class errc {
    inbox_full = 1,       // a loop's inbox of posted functions holds inbox_capacity entries
    channel_closed,       // a value was sent into a channel after close()
    ring_unavailable,     // io_uring cannot be used here; the text names the cause and the cure
    loop_already_running  // run() was called on a loop that is inside run()
};

// The category of `errc`; its name is "weir".
const std::error_category& runtime_category() noexcept;

std::error_code make_error_code(errc code) noexcept;

// Turns a completion's result into a `result`: a negative value is an errno (io_uring_enter(2)),
// kept as it is in the system category. The only place where that conversion is made.
[[nodiscard]] inline result<int> result_from_kernel(int value) noexcept {
    if (value < 0) {
        return std::unexpected(std::error_code(-value, std::system_category()));
    }
    return value;
}

// Thrown by an await whose task was asked to stop before what it waited for had come.
class canceled : public std::exception {
  public:
    [[nodiscard]] const char* what() const noexcept override { return "canceled"; }
};

// Thrown by with_timeout, with_deadline and a pool's finish_within when the time was up first.
class timed_out : public std::exception {
  public:
    [[nodiscard]] const char* what() const noexcept override { return "timed out"; }
};

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::errc> : std::true_type {};
