// Waiting for the ends of jobs: told by messages, and without them.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, std::string, raw_payload> echo("echo");
using handle = job_handle<job_type<std::string, std::string, raw_payload>>;

submit_options keep() { return submit_options().keep_result(); }

task<> expect_result(handle job, std::string expected, std::size_t* got) {
    EXPECT_EQ(co_await job.result(60s), expected);
    ++*got;
}

// What workers do at a job's end, with and without the message.
class ends {
  public:
    explicit ends(test::redis_server& server) : redis_(server.connect()) {}

    void store(const handle& job, const std::string& value) {
        redis_.command({"SET", keys_.result(job.id()), "v0" + value});
    }
    // Yields how many were told.
    std::string tell(const handle& job) {
        const std::string entry = job.id().substr(0, job.id().find('.'));
        const std::string found =
            redis_.command({"XRANGE", keys_.lane(lane_default), entry, entry});
        const std::string bytes = found.substr(found.find("\nj\n") + 3);
        const result<envelope> read = read_envelope(bytes);
        return read ? redis_.command({"PUBLISH", keys_.channel(read->reply_to), job.id()})
                    : "damaged";
    }

  private:
    test::redis_admin redis_;
    queue_keys keys_{"default"};
};

std::string listeners(test::redis_server& server) {
    return server.command({"PUBSUB", "CHANNELS", "weir:{default}:to:*"});
}

// ref: outlives the loop.
task<> until_listening(test::redis_server& server) {
    while (listeners(server).empty()) {
        co_await sleep_for(1ms);
    }
}

std::size_t reads(test::redis_server& server) {
    const std::string stats = server.command({"INFO", "commandstats"});
    const std::string name = "cmdstat_get:calls=";
    const std::size_t at = stats.find(name);
    return at == std::string::npos ? 0 : std::stoul(stats.substr(at + name.size()));
}

class JobResultsTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }

    test::redis_server server_;
};

// ref: as above.
task<> wait_for_thousands(test::redis_server& server) {
    constexpr std::size_t count = 2000;
    client redis(server.url());
    queue q(redis);
    std::vector<handle> jobs;
    std::size_t got = 0;
    scope waiting;
    for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back(co_await q.submit(keep(), echo, std::string("hello")));
        waiting.spawn(expect_result(jobs.back(), std::to_string(i), &got));
    }
    co_await until_listening(server);
    EXPECT_EQ(got, 0U);
    // All look once more when messages begin to come, and then no more.
    server.command({"CONFIG", "RESETSTAT"});
    co_await sleep_for(500ms);
    EXPECT_LE(reads(server), count);
    ends worker(server);
    for (std::size_t i = 0; i < count; ++i) {
        worker.store(jobs[i], std::to_string(i));
        EXPECT_EQ(worker.tell(jobs[i]), "1");
    }
    co_await waiting.join();
    EXPECT_EQ(got, count);
    co_await redis.close();
}

TEST_F(JobResultsTest, ThousandsWaitWithoutLooking) {
    event_loop loop;
    loop.run(wait_for_thousands(server_));
}

// ref: as above.
task<> wait_over_a_lost_line(test::redis_server& server) {
    client redis(server.url());
    queue q(redis);
    const handle first = co_await q.submit(keep(), echo, std::string("a"));
    const handle second = co_await q.submit(keep(), echo, std::string("b"));
    std::size_t got = 0;
    scope waiting;
    waiting.spawn(expect_result(first, "1", &got));
    waiting.spawn(expect_result(first, "1", &got));  // several may wait for one job
    waiting.spawn(expect_result(second, "2", &got));
    co_await until_listening(server);
    ends worker(server);
    // Its message reaches nobody.
    server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
    worker.store(first, "1");
    EXPECT_EQ(worker.tell(first), "0");
    while (got < 2) {
        co_await sleep_for(1ms);
    }
    co_await until_listening(server);
    worker.store(second, "2");
    worker.tell(second);
    co_await waiting.join();
    co_await redis.close();
}

TEST_F(JobResultsTest, AMessageThatWasLostWithItsLineIsMadeUpFor) {
    event_loop loop;
    loop.run(wait_over_a_lost_line(server_));
}

// ref: as above.
task<> wait_without_being_told(test::redis_server& server) {
    client_options where(server.url());
    where.server.user = "producer";
    where.server.password = "secret";
    client redis(where);
    queue q(redis);
    const handle job = co_await q.submit(keep(), echo, std::string("a"));
    std::size_t got = 0;
    scope waiting;
    waiting.spawn(expect_result(job, "1", &got));
    while (server.command({"ACL", "LOG"}).find("subscribe") == std::string::npos &&
           server.command({"ACL", "LOG"}).find("channel") == std::string::npos) {
        co_await sleep_for(1ms);
    }
    ends(server).store(job, "1");
    co_await waiting.join();
    EXPECT_EQ(listeners(server), "");
    co_await redis.close();
}

TEST_F(JobResultsTest, WhoMayNotSubscribeLooksForItself) {
    server_.command(
        {"ACL", "SETUSER", "producer", "on", ">secret", "~*", "+@all", "resetchannels"});
    event_loop loop;
    loop.run(wait_without_being_told(server_));
}

// ref: as above.
task<> do_all_with_few_rights(test::redis_server& server) {
    client_options where(server.url());
    where.server.user = "producer";
    where.server.password = "secret";
    client redis(where);
    queue_options limited;
    limited.max_length = 10;
    queue q(redis, "default", limited);
    std::size_t got = 0;
    scope waiting;
    const handle job = co_await q.submit(keep(), echo, std::string("a"));
    waiting.spawn(expect_result(job, "1", &got));
    co_await until_listening(server);
    ends worker(server);
    worker.store(job, "1");
    EXPECT_EQ(worker.tell(job), "1");
    co_await waiting.join();
    submit_options later;
    later.delay(1h).unique("key").keep_result().repeat_safely();
    const handle delayed = co_await q.submit(later, echo, std::string("b"));
    EXPECT_EQ(co_await delayed.progress(), std::nullopt);
    EXPECT_EQ(co_await delayed.cancel(), cancel_outcome::canceled);
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::canceled);
    queue unlimited(redis);
    const handle plain = co_await unlimited.submit(echo, std::string("c"));
    EXPECT_EQ(co_await plain.cancel(), cancel_outcome::canceled);
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

// Those of redisq/jobs/README.md.
TEST_F(JobResultsTest, AProducerNeedsNoMoreThanItsRights) {
    std::vector<std::string> words = {
        "ACL",     "SETUSER",           "producer",      "on",
        ">secret", "~weir:{default}:*", "resetchannels", "&weir:{default}:to:*",
        "-@all"};
    for (const char* command :
         {"xadd",      "evalsha", "script|load", "hget",           "xrange", "get",  "xlen",
          "zcard",     "time",    "zadd",        "zscore",         "hset",   "hdel", "hincrby",
          "set",       "del",     "zrem",        "xpending",       "xdel",   "xack", "publish",
          "subscribe", "hello",   "ping",        "client|setname", "select"}) {
        words.push_back(std::string("+") + command);
    }
    EXPECT_EQ(server_.command(words), "OK");
    event_loop loop;
    loop.run(do_all_with_few_rights(server_));
    EXPECT_EQ(server_.command({"ACL", "LOG"}), "");
}

// ref: as above.
task<> wait_for_another(test::redis_server& server) {
    client redis(server.url());
    queue q(redis);
    const handle job = co_await q.submit(keep(), echo, std::string("a"));
    queue other(redis);
    std::size_t got = 0;
    scope waiting;
    waiting.spawn(expect_result(other.find(echo, job.id()), "1", &got));
    static_cast<void>(co_await q.size());
    ends(server).store(job, "1");
    co_await waiting.join();
    EXPECT_EQ(listeners(server), "");  // nobody listens for what is told to others
    co_await redis.close();
}

TEST_F(JobResultsTest, TheEndOfAnothersJobIsLookedFor) {
    event_loop loop;
    loop.run(wait_for_another(server_));
}

// ref: as above.
task<> wait_and_be_canceled(test::redis_server& server) {
    client redis(server.url());
    queue q(redis);
    const handle job = co_await q.submit(keep(), echo, std::string("a"));
    std::size_t got = 0;
    scope waiting;
    waiting.spawn(expect_result(job, "1", &got));
    co_await until_listening(server);
    waiting.request_stop();
    co_await waiting.join();
    EXPECT_EQ(got, 0U);
    std::error_code code;
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::canceled);
    try {
        static_cast<void>(co_await job.result(60s));
    } catch (const exception& problem) {
        code = problem.code();
    }
    EXPECT_EQ(code, job_errc::canceled);
    while (!listeners(server).empty()) {  // some seconds after the last has gone
        co_await sleep_for(10ms);
    }
    co_await redis.close();
}

TEST_F(JobResultsTest, ALineThatNobodyNeedsIsClosed) {
    event_loop loop;
    loop.run(wait_and_be_canceled(server_));
}

}  // namespace
}  // namespace weir::redisq
