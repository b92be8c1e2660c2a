// The examples in the comments of redisq/*.hpp, word for word, with what they need around them; the
// test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <chrono>
#include <string>
#include <weir/redisq.hpp>
#if __has_include(<hiredis/async.h>)
#include <weir/redisq/hiredis_adapter.hpp>
#endif

namespace {

std::size_t reported = 0;
void report(const std::string& text) { reported += text.size(); }

[[maybe_unused]] weir::task<> cluster_client_example() {
    weir::redisq::cluster_client cluster("redis://10.0.0.1:7000,10.0.0.2:7000");
    const auto stored = co_await cluster.command<void>("SET", "{user:17}:name", "Ada");
    const auto name = co_await cluster.command<std::string>("GET", "{user:17}:name");
    report(name ? *name : name.error().message());
}

[[maybe_unused]] weir::task<> embedded_server_example() {
    weir::redisq::embedded_server server;
    weir::redisq::client redis(server.url());
    const auto stored = co_await redis.command<void>("SET", "greeting", "hello");
}

#if __has_include(<hiredis/async.h>)
[[maybe_unused]] void on_reply(redisAsyncContext* redis, void* /*reply*/, void* /*data*/) {
    redisAsyncDisconnect(redis);
}

[[maybe_unused]] weir::task<> hiredis_adapter_example() {
    redisAsyncContext* const redis = redisAsyncConnect("127.0.0.1", 6379);
    weir::redisq::hiredis_adapter adapter(*redis);
    redisAsyncCommand(redis, on_reply, nullptr, "PING");   // on_reply calls redisAsyncDisconnect
    co_await adapter.run();                                // until the context is gone
}
#endif

[[maybe_unused]] weir::task<> sentinel_example() {
    weir::redisq::client_options options("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster");
    const auto master = co_await weir::redisq::find_master(options);
    report(master ? master->to_string() : master.error().message());
}

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
