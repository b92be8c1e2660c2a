// Assertions that stay on in release builds, and the one way weir ends a process.
//
//     WEIR_ASSERT(size <= capacity, "a buffer never holds more than its capacity");
//
// An assertion guards a programmer's error (a misuse of the API, a broken invariant); data from a
// peer, a file or the kernel never trips one. A failure prints one line that names the place and
// the rule, then aborts.
//
// Thread: any.
#pragma once

namespace weir::detail {

// Prints "weir: FILE:LINE: MESSAGE (CONDITION)" to standard error and aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition,
                                   const char* message) noexcept;

// Prints "weir: " and the printf-style text to standard error and aborts. For errors of the
// program that need a value in their message; everything else throws or returns an error.
[[noreturn, gnu::format(printf, 1, 2)]] void fatal(const char* format, ...) noexcept;

}  // namespace weir::detail

// Always checked. `message` is a string literal that states the rule which was broken.
#define WEIR_ASSERT(condition, message) \
    ((condition) ? static_cast<void>(0) \
                 : ::weir::detail::assertion_failed(__FILE__, __LINE__, #condition, message))

// Checked in debug builds only: for checks that cost more than a compare on a hot path.
#ifdef NDEBUG
#define WEIR_DEBUG_ASSERT(condition, message) static_cast<void>(0)
#else
#define WEIR_DEBUG_ASSERT(condition, message) WEIR_ASSERT(condition, message)
#endif
