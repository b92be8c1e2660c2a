// A client under load: callers that are stopped at any moment, and a server that is killed again
// and again. Every call ends, with its own reply or a typed error.
//
// WEIR_KILLS=100 kills the server so often, instead of eight times, and is strict about the second
// within which everything goes on again.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <weir/redisq/client.hpp>
#include <weir/redisq/subscriber.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/run.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

struct tally {
    int right = 0;
    int wrong = 0;
    int canceled = 0;
    int failed = 0;
    bool stop = false;
};

void count_failure(const error& why, tally& count) {
    if (why.code() == std::errc::operation_canceled) {
        ++count.canceled;
        return;
    }
    EXPECT_TRUE(why == errc::connection_lost || why == errc::connect_failed ||
                why == errc::timed_out || why == errc::loading)
        << why.message();
    ++count.failed;
}

// Texts of all lengths, so that replies come in pieces.
std::string text_of(const std::string& name, int call) {
    const std::string text = name + "/" + std::to_string(call) + "/";
    return call % 16 == 0 ? text + std::string(static_cast<std::size_t>(call * 97 % 50'000), 'x')
                          : text;
}

task<> call_one(client& redis, std::string name, int call, call_options options, tally& count) {
    const std::string text = text_of(name, call);
    const auto answer = co_await redis.command<std::string>(options, "ECHO", text);
    if (answer) {
        ++(*answer == text ? count.right : count.wrong);
    } else {
        count_failure(answer.error(), count);
    }
}

task<> call_several(client& redis, std::string name, int call, tally& count) {
    pipeline three;
    for (int part = 0; part < 3; ++part) {
        three.add("ECHO", text_of(name, call + part));
    }
    const auto answers = co_await redis.execute(three);
    if (!answers) {
        count_failure(answers.error(), count);
        co_return;
    }
    bool fine = answers->size() == 3;
    for (int part = 0; fine && part < 3; ++part) {
        fine =
            answers->get<std::string>(static_cast<std::size_t>(part)) == text_of(name, call + part);
    }
    ++(fine ? count.right : count.wrong);
}

task<> call_until_stopped(client& redis, std::string name, tally& count) {
    const int before = count.canceled;
    for (int call = 0; count.canceled == before; ++call) {
        if (call % 4 == 3) {
            co_await call_several(redis, name, call, count);
        } else {
            co_await call_one(redis, name, call, call_options(), count);
        }
    }
}

task<> call_on(client& redis, std::string name, tally& count) {
    for (int call = 0; !count.stop; ++call) {
        co_await call_one(redis, name, call, call_options(), count);
    }
}

task<> call_on_idempotently(client& redis, std::string name, tally& count) {
    for (int call = 0; !count.stop; ++call) {
        co_await call_one(redis, name, call, idempotent, count);
    }
}

task<> call_on_in_pipelines(client& redis, std::string name, tally& count) {
    for (int call = 0; !count.stop; call += 3) {
        co_await call_several(redis, name, call, count);
    }
}

// On connections of their own.
task<> block_on(client& redis, std::string name, tally& count) {
    while (!count.stop) {
        const auto popped =
            co_await redis.blocking<std::optional<std::vector<std::string>>>("BLPOP", name, "0.01");
        if (popped) {
            ++(*popped ? count.wrong : count.right);  // nobody pushes
        } else {
            count_failure(popped.error(), count);
        }
    }
}

task<> stop_callers(client& redis, tally& count) {
    std::mt19937 chance(17);  // NOLINT(cert-msc51-cpp): the same in every run
    for (int round = 0; round < 250; ++round) {
        stop_source sources[4];
        tally counts[4];
        scope s;
        for (int caller = 0; caller < 4; ++caller) {
            const std::string name = std::to_string(round) + "." + std::to_string(caller);
            s.spawn(with_stop(sources[caller], call_until_stopped(redis, name, counts[caller])));
        }
        for (stop_source& source : sources) {
            co_await sleep_for(std::chrono::microseconds(chance() % 400));
            source.request_stop();
        }
        co_await s.join();
        for (const tally& own : counts) {
            count.right += own.right;
            count.wrong += own.wrong;
            count.canceled += own.canceled;
            count.failed += own.failed;
        }
    }
}

task<> cancel_a_thousand(test::redis_server& server) {
    client redis(server.url());
    tally steady;
    tally stopped;
    scope s;
    s.spawn(call_on(redis, "steady", steady));
    s.spawn(call_on_in_pipelines(redis, "steady pipeline", steady));
    co_await stop_callers(redis, stopped);
    steady.stop = true;
    co_await s.join();
    EXPECT_EQ(stopped.canceled, 1'000);
    EXPECT_EQ(stopped.wrong + steady.wrong, 0);
    EXPECT_EQ(stopped.failed + steady.failed, 0);
    EXPECT_GT(steady.right, 0);
    EXPECT_EQ(redis.core().counters().connections, 1U) << "a stop costs no connection";
    co_await redis.close();
}

TEST(ClientLoadTest, AThousandCancelsMixNothingUp) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    run(cancel_a_thousand(server));
}

int kills_asked_for() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): tests set no variables
    const char* const text = std::getenv("WEIR_KILLS");
    return text == nullptr ? 0 : static_cast<int>(std::strtol(text, nullptr, 10));
}

task<> receive_on(subscriber& news, int& messages) {
    while (true) {
        const auto next = co_await news.receive();
        if (!next) {
            EXPECT_EQ(next.error(), errc::closed) << next.error().message();
            co_return;
        }
        ++messages;
    }
}

task<> publish_on(client& redis, tally& count) {
    while (!count.stop) {
        const auto heard = co_await redis.command<int>("PUBLISH", "news", "x");
        if (!heard) {
            count_failure(heard.error(), count);
        }
        co_await sleep_for(1ms);
    }
}

// What goes on, and what has to go on again after each kill.
struct load {
    explicit load(const std::string& url) : redis(url), news(url) {}

    void begin() {
        for (int caller = 0; caller < 8; ++caller) {
            const std::string name = std::to_string(caller);
            callers.spawn(call_on(redis, "one " + name, plain));
            callers.spawn(call_on_idempotently(redis, "again " + name, repeated));
            callers.spawn(call_on_in_pipelines(redis, "many " + name, grouped));
        }
        callers.spawn(block_on(redis, "nothing", blocked));
        callers.spawn(publish_on(redis, published));
        callers.spawn(receive_on(news, messages));
    }
    [[nodiscard]] std::vector<int> progress() const {
        return {plain.right, repeated.right, grouped.right, blocked.right, messages};
    }
    task<> end() {
        for (tally* const each : {&plain, &repeated, &grouped, &blocked, &published}) {
            each->stop = true;
        }
        news.close();
        co_await callers.join();
        co_await redis.close();
    }

    client redis;
    subscriber news;
    tally plain;
    tally repeated;
    tally grouped;
    tally blocked;
    tally published;
    int messages = 0;
    scope callers;
};

// Until everybody has had something since `before`; how long that took.
task<duration> wait_for_all(load& all, std::vector<int> before) {
    const time_point start = event_loop::current()->now();
    const auto has_moved = [&] {
        const std::vector<int> now = all.progress();
        return std::ranges::equal(before, now, std::less<>());
    };
    while (!has_moved() && event_loop::current()->now() - start < 30s) {
        co_await sleep_for(1ms);
    }
    EXPECT_TRUE(has_moved()) << "somebody is not served any more";
    co_return event_loop::current()->now() - start;
}

// Nobody spins while there is no server: neither who calls nor who connects.
task<> expect_quiet(load& all) {
    co_await sleep_for(20ms);  // all have noticed
    const auto attempts = all.redis.core().counters().attempts;
    const auto ticks = event_loop::current()->counters().ticks;
    co_await sleep_for(200ms);
    EXPECT_LE(all.redis.core().counters().attempts - attempts, 20U);
    EXPECT_LE(event_loop::current()->counters().ticks - ticks, 500U);
}

task<> kill_and_start(test::redis_server& server, int kills, bool is_strict) {
    load all(server.url());
    EXPECT_TRUE(co_await all.news.subscribe("news"));
    all.begin();
    duration slowest{};
    for (int round = 0; round < kills; ++round) {
        co_await sleep_for(std::chrono::milliseconds(round * 7 % 20));
        server.kill();
        if (round % 8 == 0) {
            co_await expect_quiet(all);
        } else {
            co_await sleep_for(std::chrono::milliseconds(round * 11 % 30));
        }
        server.start();
        const duration took = co_await wait_for_all(all, all.progress());
        slowest = std::max(slowest, took);
    }
    co_await all.end();
    EXPECT_EQ(all.plain.wrong + all.repeated.wrong + all.grouped.wrong + all.blocked.wrong, 0);
    EXPECT_GT(all.plain.failed, 0);
    EXPECT_EQ(all.repeated.failed, 0) << "it may run twice";
    if (is_strict) {
        EXPECT_LE(slowest, 1s);
    }
    testing::Test::RecordProperty(
        "slowest_return_ms",
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(slowest).count()));
}

TEST(ClientLoadTest, AServerThatIsKilledAgainAndAgainLosesNoCaller) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    const int kills = kills_asked_for();
    run(kill_and_start(server, kills > 0 ? kills : 8, kills > 0));
}

}  // namespace
}  // namespace weir::redisq
