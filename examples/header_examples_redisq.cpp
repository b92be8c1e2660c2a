// The examples in the comments of redisq/*.hpp, word for word, with what they need around them; the
// test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <string>
#include <weir/redisq.hpp>

namespace {

std::size_t reported = 0;
void report(const std::string& text) { reported += text.size(); }

void errors_example() {
    const weir::redisq::error gone(weir::redisq::errc::moved, "MOVED 3999 127.0.0.1:6381");
    if (gone.code() == weir::redisq::errc::moved) { report(gone.message()); }
}

}  // namespace

int main() {
    errors_example();
    return reported > 0 ? 0 : 1;
}
