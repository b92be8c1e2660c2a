// The examples in the comments of runtime/file/*.hpp, word for word, with what they need around
// them; the test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <fcntl.h>

#include <cstdio>
#include <string>
#include <weir/runtime.hpp>

namespace {

void report(const std::string& text) { std::puts(text.c_str()); }

void descriptor_example() {
    const weir::file_descriptor null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_device) { report("no /dev/null"); }
}

}  // namespace

int main() {
    descriptor_example();
    return 0;
}
