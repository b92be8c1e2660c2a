// The examples in the comments of redisq/*.hpp, word for word, with what they need around them; the
// test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <chrono>
#include <string>
#include <weir/redisq.hpp>

namespace {

std::size_t reported = 0;
void report(const std::string& text) { reported += text.size(); }

void errors_example() {
    const weir::redisq::error gone(weir::redisq::errc::moved, "MOVED 3999 127.0.0.1:6381");
    if (gone.code() == weir::redisq::errc::moved) { report(gone.message()); }
}

void options_example() {
    using namespace std::chrono_literals;
    weir::redisq::client_options options("rediss://worker:s%40fe@cache.example/2");
    options.client_name = "thumbnails";
    options.command_timeout = 2s;
    if (const auto sound = options.check(); !sound) { report(sound.error().message()); }
}

void slot_example() {
    const std::string key = "{user:17}:cart";
    report("slot " + std::to_string(weir::redisq::slot_of(key)));   // that of "user:17"
}

void url_example() {
    auto server = weir::redisq::server_url::parse("redis://worker:s%40fe@cache.example:6380/2");
    report(server ? server->to_string() : server.error().message());
}

}  // namespace

int main() {
    errors_example();
    options_example();
    slot_example();
    url_example();
    return reported > 0 ? 0 : 1;
}
