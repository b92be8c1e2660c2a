#include "assert.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace weir::detail {

void assertion_failed(const char* file, int line, const char* condition,
                      const char* message) noexcept {
    std::fprintf(stderr, "weir: %s:%d: %s (%s)\n", file, line, message, condition);
    std::fflush(stderr);
    std::abort();
}

void fatal(const char* format, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    std::fputs("weir: ", stderr);
    std::vfprintf(stderr, format, arguments);
    std::fputc('\n', stderr);
    va_end(arguments);
    std::fflush(stderr);
    std::abort();
}

}  // namespace weir::detail
