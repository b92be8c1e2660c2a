// The examples in the comments of redisq/*.hpp, word for word, with what they need around them; the
// test "header examples" compares.
// clang-format off: the lines stand as in the comments.
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <weir/redisq.hpp>
#if __has_include(<hiredis/async.h>)
#include <weir/redisq/hiredis_adapter.hpp>
#endif

namespace {

std::size_t reported = 0;
void report(const std::string& text) { reported += text.size(); }
void report(int number) { reported += number != 0 ? 1 : 0; }
void show(const std::string& first, const std::string& second = "") { report(first + second); }
void show(weir::redisq::resp::reply_view reply) { reported += reply.size(); }
void write(std::span<const std::byte> bytes) { reported += bytes.size(); }

[[maybe_unused]] weir::task<> call_options_example() {
    weir::redisq::client redis("redis://localhost");
    const std::string key = "greeting";
    using namespace std::chrono_literals;
    using weir::redisq::idempotent;
    const auto text = co_await redis.command<std::string>(idempotent.within(2s), "GET", key);
}

[[maybe_unused]] weir::task<> client_example() {
    weir::redisq::client redis("redis://localhost:6379");
    const auto stored = co_await redis.command<void>("SET", "greeting", "hello");
    const auto text = co_await redis.command<std::optional<std::string>>("GET", "greeting");
    if (text && *text) { report(**text); }
}

[[maybe_unused]] weir::task<> client_pool_example() {
    weir::redisq::client_pool redis("redis://localhost", 4);
    const auto text = co_await redis.least_busy().command<std::string>("GET", "page");
}

[[maybe_unused]] weir::task<> exclusive_client_example() {
    weir::redisq::client redis("redis://localhost");
    auto own = co_await redis.exclusive();
    if (!own) { co_return; }
    const auto watched = co_await own->command<void>("WATCH", "stock");
    const auto stock = co_await own->command<int>("GET", "stock");
    weir::redisq::transaction sale;
    sale.add("SET", "stock", stock.value_or(0) - 1);
    const auto sold = co_await own->execute(sale);   // watch_failed: somebody was faster
}

[[maybe_unused]] weir::task<> pipeline_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::pipeline visit;
    visit.add("INCR", "visits");
    visit.add("EXPIRE", "visits", 3600);
    const auto answers = co_await redis.execute(visit);
    if (answers) { report(answers->get<int>(0).value_or(0)); }
}

[[maybe_unused]] weir::task<> replies_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::pipeline visit;
    visit.add("INCR", "visits");
    const auto answers = co_await redis.execute(visit);
    const weir::redisq::result<int> count = answers->get<int>(0);
    for (std::size_t at = 0; at != answers->size(); ++at) { show((*answers)[at]); }
}

[[maybe_unused]] weir::task<> scan_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::scan_options few;
    few.match = "user:*";
    auto keys = weir::redisq::scan_keys(redis, few);
    while (true) {
        const auto next = co_await keys.next();
        if (!next || !*next) { break; }   // an error, or the end
        show(**next);
    }
}

[[maybe_unused]] weir::task<> script_example() {
    weir::redisq::client redis("redis://localhost");
    static const weir::redisq::script take("return redis.call('DECRBY', KEYS[1], ARGV[1])");
    const auto left = co_await redis.run<int>(take, weir::redisq::keys("tokens"), 3);
}

[[maybe_unused]] weir::task<> streaming_example() {
    weir::redisq::client redis("redis://localhost");
    auto page = redis.stream("GET", "page");
    while (!page.done()) {
        const auto part = co_await page.next();
        if (!part) { break; }
        write(part->bytes);   // of a long text; elements of an array come in part->view
    }
}

[[maybe_unused]] weir::task<> subscriber_example() {
    weir::redisq::subscriber news("redis://localhost");
    const auto subscribed = co_await news.subscribe("scores", "weather");
    while (true) {
        const auto next = co_await news.receive();
        if (!next) { break; }
        show(next->channel, next->payload);
    }
}

[[maybe_unused]] weir::task<> tracking_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::tracked_cache cache(redis, 10'000);
    const auto page = co_await cache.get("page:1");   // from the server once, then from here
}

[[maybe_unused]] weir::task<> transaction_example() {
    weir::redisq::client redis("redis://localhost");
    weir::redisq::transaction transfer;
    transfer.add("DECRBY", "alice", 10);
    transfer.add("INCRBY", "bob", 10);
    const auto moved = co_await redis.execute(transfer);
    if (moved) { report(moved->get<int>(1).value_or(0)); }
}

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
